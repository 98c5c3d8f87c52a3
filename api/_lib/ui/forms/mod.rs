//! Handles forms that pages send: reads the form, calls the API's own route, reports the outcome. Knows no page.

mod api_call;
mod form;
mod notice;

pub(super) use api_call::Refused;
pub(super) use form::{Fields, Form};
pub(super) use notice::{back, clear_notice, notice};
