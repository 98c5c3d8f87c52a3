//! Live events of tenants: each is read once and passed to every stream. Has no routes: see `events`.

mod credential;
mod feed;
mod hub;

pub(crate) use credential::{CHECK_EVERY, Credential, OpenStream};
pub(crate) use hub::Hub;
