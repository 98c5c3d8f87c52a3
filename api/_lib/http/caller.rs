//! Who calls: `Authorization: Bearer <Supabase JWT | nofx_… API key>`.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use nofx_shared::auth::{Caller, Role};
use nofx_shared::problem::{Kind, Problem};
use subtle::ConstantTimeEq;

use super::Refusal;
use crate::App;

/// A caller whose credential was checked; what it may do is decided by the database.
pub(crate) struct Authenticated(pub Caller);

impl FromRequestParts<App> for Authenticated {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let credential =
            parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("Bearer "));
        let Some(credential) = credential else {
            return Err(Problem::new(Kind::Unauthorized, "Send `Authorization: Bearer` with a token or an API key.").into());
        };
        Ok(Self(app.identify(credential).await?))
    }
}

impl Authenticated {
    /// Refuses a caller whose role is too small, where the database would only show nothing.
    pub(crate) fn at_least(&self, role: Role) -> Result<(), Refusal> {
        if self.role >= role {
            return Ok(());
        }
        let name = serde_json::to_value(role).unwrap_or_default();
        let detail = format!("This needs the role {} or more; ask an admin of your tenant.", name.as_str().unwrap_or_default());
        Err(Problem::new(Kind::Forbidden, detail).into())
    }
}

/// Somebody who operates the deployment: `X-Internal-Api-Key`.
pub(crate) struct Operator;

impl FromRequestParts<App> for Operator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let given = parts.headers.get("x-internal-api-key").map(|value| value.as_bytes()).unwrap_or_default();
        let is_good = bool::from(given.ct_eq(app.settings().internal_api_key.as_bytes()));
        if is_good { Ok(Self) } else { Err(Problem::new(Kind::Unauthorized, "Send the deployment's key in `X-Internal-Api-Key`.").into()) }
    }
}

impl Deref for Authenticated {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}
