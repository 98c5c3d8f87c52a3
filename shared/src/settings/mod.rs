//! Settings: read from the environment once, here; all problems are reported at once, by name.
//! Nothing below `main` reads the environment.

mod api;
mod aws;
mod dev;
mod edge_config;
mod forges;
mod function;
mod gates;
mod isolation;
mod lambda;
mod limits;
mod machines;
mod models;
mod queue;
mod read;
mod secrets;
mod supabase;
mod tasks;
mod telemetry;
mod toolchains;
mod tools;
mod worker;

pub use api::{Api, api};
pub use aws::{Aws, AwsKeys};
pub use dev::{existing_database, github_webhook_secrets, internal_api_keys};
pub use edge_config::{EdgeConfig, EdgeConfigWriter};
pub use forges::Forges;
pub use function::{Function, FunctionEndpoint, function};
pub use gates::advisory_db;
pub use isolation::{Isolation, isolation};
pub use lambda::lambda_folder;
pub use limits::{Limits, Upstash, limits_of_dev};
pub use machines::{E2b, Machines, Modal};
pub use models::Models;
pub use queue::Queue;
use read::Reader;
pub(crate) use read::secret;
pub use read::{Invalid, add, certificates, hand_over, is_public, path};
pub use secrets::Secrets;
pub use supabase::Supabase;
pub use tasks::{TaskServer, Tasks, task_server};
pub use telemetry::{Telemetry, telemetry};
pub use toolchains::ToolFolder;
pub use tools::tool_environment;
pub use worker::{Worker, admin_port, worker};
