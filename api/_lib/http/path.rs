//! Names and ids in a path; an invalid one is not found.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use nofx_shared::problem::{Kind, Problem};
use serde::de::DeserializeOwned;

use super::Refusal;

pub(crate) struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let found = axum::extract::Path::from_request_parts(parts, state).await;
        let axum::extract::Path(value) =
            found.map_err(|error| Problem::new(Kind::NotFound, format!("Invalid path parameter: {error}.")))?;
        Ok(Self(value))
    }
}
