//! The session of a person: the access token of Supabase Auth in a cookie that scripts cannot read.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nofx_shared::auth::{Caller, Role};
use nofx_shared::problem::{Kind, Problem};
use serde_json::Value;

use super::cookies::BROWSER_COOKIE;
use crate::http::{Identity, Refusal, cookie};
use crate::ui::Ui;

/// Someone who is signed in.
#[derive(Clone)]
pub(in crate::ui) struct Session {
    pub caller: Caller,
    pub email: String,
    /// The sign-in, to which the tokens of forms are bound.
    pub(super) browser: String,
}

impl Session {
    pub(in crate::ui) fn may(&self, least: Role) -> bool {
        self.caller.role >= least
    }
}

impl FromRequestParts<Ui> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Ui) -> Result<Self, Refusal> {
        let identity = parts.extensions.get::<Identity>().cloned().unwrap_or_default();
        let caller = identity.caller.ok_or_else(|| Problem::new(Kind::Unauthorized, "Sign in first."))??;
        if caller.scopes.is_some() {
            return Err(Problem::new(Kind::Forbidden, "Scoped API keys cannot open the dashboard. Use the API.").into());
        }
        let email = email_of(&caller.token).unwrap_or_else(|| caller.subject.clone());
        Ok(Self { browser: cookie(&parts.headers, BROWSER_COOKIE).unwrap_or_default().to_owned(), caller, email })
    }
}

/// The address in a token that was checked.
fn email_of(token: &str) -> Option<String> {
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?).ok()?;
    claims["email"].as_str().map(str::to_owned)
}
