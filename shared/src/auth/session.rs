//! What a person's token says of its session. Only for tokens that were verified.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

/// A session at Supabase Auth, and until when its token is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// None in tokens that Auth did not sign.
    pub id: Option<Uuid>,
    pub expires_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct SessionClaims {
    exp: i64,
    session_id: Option<Uuid>,
}

impl Session {
    /// Of a token that was verified; None when it is no token.
    pub fn of(token: &str) -> Option<Self> {
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        let claims: SessionClaims = serde_json::from_slice(&claims).ok()?;
        Some(Self { id: claims.session_id, expires_at: DateTime::from_timestamp(claims.exp, 0)? })
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use uuid::Uuid;

    use super::Session;
    use crate::auth::{Role, sign_for};

    #[test]
    fn a_token_says_until_when_it_is_valid() {
        let token = sign_for("a secret of at least thirty-two characters", "p", Uuid::nil(), Role::Viewer, 60);
        let session = Session::of(&token).expect("a session");
        assert!(session.id.is_none() && (session.expires_at - Utc::now()).num_seconds() > 50);
        assert_eq!((Session::of(""), Session::of("nofx_key"), Session::of("a.b.c")), (None, None, None));
    }
}
