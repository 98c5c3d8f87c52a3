//! Live events of tenants: each is read once and passed to every stream. Has no routes: see `events`.

mod feed;
mod hub;

pub(crate) use hub::Hub;
