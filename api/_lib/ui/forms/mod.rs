//! What pages do when a form is sent: read it, call the API's own route, say how it went. Knows no page.

mod api_call;
mod form;
mod notice;

pub(super) use api_call::Refused;
pub(super) use form::{Fields, Form};
pub(super) use notice::{back, clear_notice, notice};
