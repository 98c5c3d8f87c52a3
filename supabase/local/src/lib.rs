//! The embedded Supabase: a real Postgres, a real PostgREST, and a gateway with Storage and Auth that answers as Supabase does.
//! Knows nothing of runs and steps: what it serves is what `supabase/migrations` declares.

pub mod auth;
pub mod dirs;
pub mod error;
pub mod gateway;
mod migrate;
pub mod people;
mod postgres;
mod postgrest;
mod process;
mod redis;
mod secrets;
mod stack;
mod storage;

pub use error::Error;
pub use people::Person;
pub use redis::Redis;
pub use stack::{Options, Stack};
