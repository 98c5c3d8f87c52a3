//! Forms: fields, and the proof that one of our own pages sent them.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use nofx_shared::problem::{Kind, Problem};

use super::Ui;
use super::session::Session;
use crate::http::{RawBody, Refusal};

/// The fields of a form, in their order.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// A field's value, trimmed; none when it is missing or empty.
    pub(super) fn text(&self, name: &'static str) -> Option<&str> {
        self.all(name).next()
    }

    pub(super) fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }
}

/// A form of someone who is signed in, sent by one of our pages.
pub(super) struct Form {
    pub fields: Fields,
    pub session: Session,
    /// The request itself, for calls of the API on its behalf.
    pub parts: Parts,
}

impl FromRequest<Ui> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, ui: &Ui) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let session = Session::from_request_parts(&mut parts, ui).await?;
        let fields = Fields::from_request(Request::from_parts(parts.clone(), body), ui).await?;
        if !session.has_csrf(ui, fields.text("csrf").unwrap_or_default()) {
            return Err(Problem::new(Kind::Forbidden, "This form has expired. Reload the page and try again.").into());
        }
        Ok(Self { fields, session, parts })
    }
}

/// Refuses requests of other sites: browsers send where a request comes from, older ones at least its origin.
pub(super) async fn check_site(request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_ours(request.headers()) {
        return next.run(request).await;
    }
    Refusal(Problem::new(Kind::Forbidden, "The request came from another site.")).into_response()
}

fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site".parse().unwrap_or(header::ORIGIN)) {
        return matches!(site, "same-origin" | "none");
    }
    let host = text(header::HOST).unwrap_or_default();
    text(header::ORIGIN).is_none_or(|origin| origin.split_once("://").is_some_and(|(_, rest)| rest == host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_may_send_forms() {
        let is_ours = |pairs: &[(&'static str, &'static str)]| {
            is_ours(&pairs.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect())
        };
        assert!(is_ours(&[("sec-fetch-site", "same-origin")]));
        assert!(is_ours(&[("origin", "https://nofx.example"), ("host", "nofx.example")]));
        assert!(is_ours(&[("host", "nofx.example")]), "no browser: the token of the form decides");
        assert!(!is_ours(&[("sec-fetch-site", "cross-site"), ("origin", "https://nofx.example"), ("host", "nofx.example")]));
        assert!(!is_ours(&[("sec-fetch-site", "same-site")]));
        assert!(!is_ours(&[("origin", "https://evil.example"), ("host", "nofx.example")]));
        assert!(!is_ours(&[("origin", "null"), ("host", "nofx.example")]));
    }
}
