//! Rate limits of credentials, tenants and addresses. `local` limits this process without a call; `shared` counts for all processes.
//! `api/http/rate_limit` decides when to check them.

mod headers;
mod limits;
mod local;
mod policy;
mod shared;
mod state;

pub use headers::{policy_header, state_header};
pub use limits::Limits;
pub use policy::{LimitCheck, Policy, checks_for};
pub use state::{LimitState, RateLimitDecision};
