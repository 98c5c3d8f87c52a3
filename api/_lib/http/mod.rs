//! The layers around all routes, and what routes share: bodies, pages, problems. Knows no resource.

mod body_limit;
mod caller;
mod cookie;
mod etag;
mod hooks;
mod idempotency;
mod json;
mod layers;
mod limit_response;
mod one;
mod page;
mod path;
mod problem;
mod rate_limit;
mod request_id;
mod request_key;
mod request_parts;
mod routes;
mod strict;
mod timeout;
mod trace;

pub(crate) use body_limit::record as record_limit;
pub use caller::ClientAddress;
pub(crate) use caller::{Authenticated, Identity, Operator, has_internal_key};
pub(crate) use cookie::{SESSION_COOKIE, cookie};
pub(crate) use etag::{cached, tagged};
pub(crate) use hooks::with_request_hooks;
#[cfg(test)]
pub(crate) use idempotency::may_be_repeated;
pub(crate) use idempotency::with_idempotency;
pub(crate) use json::{Body, Params, RawBody, parse};
pub(crate) use layers::layers;
pub(crate) use one::one;
pub(crate) use page::{Cursor, Page, Paging, page_limit};
pub(crate) use path::Path;
#[cfg(test)]
pub(crate) use problem::{ProblemDetails, status, type_uri};
pub(crate) use problem::{Refusal, not_found};
pub(crate) use request_key::RequestKey;
pub(crate) use request_parts::RequestParts;
pub(crate) use routes::{Group, Routes, on, routes};
