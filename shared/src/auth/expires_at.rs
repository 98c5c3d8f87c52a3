use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;

#[derive(Deserialize)]
struct Claims {
    exp: i64,
}

/// Until when a token is valid that was verified before; None when it is no token.
pub fn expires_at(token: &str) -> Option<DateTime<Utc>> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    DateTime::from_timestamp(claims.exp, 0)
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use uuid::Uuid;

    use super::expires_at;
    use crate::auth::{Role, sign_for};

    #[test]
    fn a_token_says_until_when_it_is_valid() {
        let token = sign_for("a secret of at least thirty-two characters", "p", Uuid::nil(), Role::Viewer, 60);
        let at = expires_at(&token).expect("a token");
        assert!((at - Utc::now()).num_seconds() > 50);
        assert_eq!((expires_at(""), expires_at("nofx_key"), expires_at("a.b.c")), (None, None, None));
    }
}
