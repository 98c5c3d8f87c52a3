//! Tokens that are valid once: links, the codes that they lead to, and refresh tokens. Used tokens are remembered until the stack stops.

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Project;
use super::token::{sign, verify_secret};
use crate::people::Person;

impl Project {
    /// A token of a person for one use.
    pub(crate) fn issue(&self, person: &Person, purpose: &str, challenge: &Value, valid_s: i64) -> String {
        let claims = json!({"sub": person.id, "purpose": purpose, "challenge": challenge, "jti": Uuid::now_v7(), "exp": Utc::now().timestamp() + valid_s});
        sign(&self.jwt_secret, &claims)
    }

    /// The person of a token, and its claims; none when it was used before.
    pub(crate) fn redeem(&self, token: &str, purpose: &str) -> Option<(&Person, Value)> {
        let claims = verify_secret(&self.jwt_secret, token).ok().filter(|claims| claims["purpose"] == purpose)?;
        let id = claims["jti"].as_str()?.to_owned();
        if !self.used_tokens.lock().expect("nobody panics while holding it").insert(id) {
            return None;
        }
        let person = self.people.iter().find(|person| claims["sub"].as_str() == Some(person.id.to_string().as_str()))?;
        Some((person, claims))
    }
}
