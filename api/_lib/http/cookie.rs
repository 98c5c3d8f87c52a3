//! Cookies of browsers.

use axum::http::{HeaderMap, header};

/// Where a browser keeps a person's access token.
pub(crate) const SESSION_COOKIE: &str = "nofx_session";

/// A cookie's value, by name.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value)
}
