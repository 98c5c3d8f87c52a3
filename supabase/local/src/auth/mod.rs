//! `/auth/v1`: sign-in for the seeded people, in `GoTrue`'s shapes. How tokens are signed is in `project`.

mod access_token;
mod grants;
mod links;
mod problem;
mod published_keys;
mod routes;
mod user;

pub use access_token::access_token;
pub(crate) use access_token::api_key;
pub(crate) use routes::{keyed_routes, open_routes};
