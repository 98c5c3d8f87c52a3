//! Supabase Auth, as the sign-in page uses it: password, link by mail, OAuth (both with PKCE), refresh.
//! Shapes: <https://supabase.com/docs/reference/self-hosting-auth/introduction>.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nofx_shared::net;
use nofx_shared::settings::Supabase;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ui::url::query;

const DEADLINE: Duration = Duration::from_secs(10);

/// A session as Auth gives it.
#[derive(Deserialize)]
pub(super) struct Granted {
    pub access_token: String,
    pub refresh_token: String,
    /// Seconds.
    pub expires_in: u32,
}

/// Why a sign-in failed.
pub(super) enum Denied {
    /// The message of Auth.
    Refused(String),
    /// Auth does not respond.
    Unavailable,
}

/// Auth of one project.
#[derive(Clone)]
pub(in crate::ui) struct Auth {
    /// Created with the first call, since that reads all root certificates.
    client: Arc<LazyLock<reqwest::Client>>,
    supabase: Supabase,
}

impl Auth {
    pub(in crate::ui) fn new(supabase: Supabase) -> Self {
        Self { client: Arc::new(LazyLock::new(net::client)), supabase }
    }

    pub(super) async fn with_password(&self, email: &str, password: &str) -> Result<Granted, Denied> {
        self.grant("password", &json!({"email": email, "password": password})).await
    }

    pub(super) async fn refresh(&self, token: &str) -> Result<Granted, Denied> {
        self.grant("refresh_token", &json!({"refresh_token": token})).await
    }

    /// For the code that a link or a provider returned.
    pub(super) async fn with_code(&self, code: &str, verifier: &str) -> Result<Granted, Denied> {
        self.grant("pkce", &json!({"auth_code": code, "code_verifier": verifier})).await
    }

    async fn grant(&self, kind: &str, body: &Value) -> Result<Granted, Denied> {
        let answer = self.post("token", ("grant_type", kind), body).await?;
        serde_json::from_value(answer).map_err(|_| Denied::Unavailable)
    }

    /// Requests an email link that leads to `back` with a code.
    pub(super) async fn send_link(&self, email: &str, back: &str, verifier: &str) -> Result<(), Denied> {
        let body = json!({"email": email, "create_user": false, "code_challenge": challenge(verifier), "code_challenge_method": "s256"});
        self.post("otp", ("redirect_to", back), &body).await.map(drop)
    }

    /// The address where sign-in with a provider starts.
    pub(super) fn provider_url(&self, provider: &str, back: &str, verifier: &str) -> String {
        let challenge = challenge(verifier);
        let parameters = [("provider", provider), ("redirect_to", back), ("code_challenge", &challenge), ("code_challenge_method", "s256")];
        format!("{}/auth/v1/authorize?{}", self.supabase.url, query(parameters))
    }

    /// Ends the session at Auth too; if it cannot be reached, the session here ends anyway.
    pub(super) async fn sign_out(&self, token: &str) {
        let request = self.client.post(format!("{}/auth/v1/logout", self.supabase.url)).query(&[("scope", "local")]);
        let request = request.header("apikey", &self.supabase.anon_key);
        if let Err(error) = request.bearer_auth(token).timeout(DEADLINE).send().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not end the session at Supabase Auth");
        }
    }

    async fn post(&self, path: &str, parameter: (&str, &str), body: &Value) -> Result<Value, Denied> {
        let request = self.client.post(format!("{}/auth/v1/{path}", self.supabase.url)).query(&[parameter]);
        let request = request.header("apikey", &self.supabase.anon_key);
        let answer = request.json(body).timeout(DEADLINE).send().await.map_err(|_| Denied::Unavailable)?;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        if status.is_server_error() {
            return Err(Denied::Unavailable);
        }
        let message = ["msg", "error_description", "message"].into_iter().find_map(|field| body[field].as_str());
        Err(Denied::Refused(message.unwrap_or("Sign-in refused").to_owned()))
    }
}

/// The challenge that is sent before the verifier (RFC 7636, S256).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}
