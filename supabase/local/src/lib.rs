//! The embedded Supabase: a real Postgres, a real PostgREST, and a gateway with Storage and Auth that answers as Supabase does.
//! Knows nothing of runs and steps: what it serves is what `supabase/migrations` declares.

pub mod auth;
mod aws;
pub mod dirs;
pub mod error;
mod gateway;
mod migrate;
pub mod people;
mod port;
mod postgres;
mod postgrest;
mod process;
mod project;
mod realtime;
mod redis;
mod secrets;
mod signing_key;
mod stack;
mod storage;

pub use aws::Aws;
pub use error::Error;
pub use people::Person;
pub use port::free_port;
pub use redis::Redis;
pub use stack::{Options, Stack};
