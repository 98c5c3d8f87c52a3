//! The session of a person: the access token of Supabase Auth in a cookie that scripts cannot read.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use nofx_shared::auth::{Caller, Role};
use nofx_shared::problem::{Kind, Problem};

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
        let email = caller.email.clone().unwrap_or_else(|| caller.subject.clone());
        Ok(Self { browser: cookie(&parts.headers, BROWSER_COOKIE).unwrap_or_default().to_owned(), caller, email })
    }
}
