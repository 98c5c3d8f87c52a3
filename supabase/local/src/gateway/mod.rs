//! The one port that answers as Supabase does: `/rest/v1`, `/storage/v1`, `/auth/v1`, `/realtime/v1`.

mod api_key;
mod proxy;
mod routes;
mod serve;
mod state;

pub(crate) use proxy::Upstream;
pub(crate) use serve::{Running, serve};
pub(crate) use state::Services;
