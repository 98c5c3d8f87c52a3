//! Forms: fields, and who sent them. Only forms with the token of one of our own pages are read: see `session/csrf`.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use nofx_shared::problem::{Kind, Problem};

use crate::http::{RawBody, Refusal};
use crate::ui::Ui;
use crate::ui::session::Session;

/// The fields of a form, in their order.
pub(in crate::ui) struct Fields(Vec<(String, String)>);

impl Fields {
    /// A field's value, trimmed; none when it is missing or empty.
    pub(in crate::ui) fn text(&self, name: &'static str) -> Option<&str> {
        self.all(name).next()
    }

    pub(in crate::ui) fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
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
pub(in crate::ui) struct Form {
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
