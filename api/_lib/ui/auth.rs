//! Supabase Auth, as the sign-in page uses it: password, link by mail, OAuth (both with PKCE), refresh.
//! Shapes: <https://supabase.com/docs/reference/self-hosting-auth/introduction>.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nofx_shared::net;
use nofx_shared::settings::Supabase;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const DEADLINE: Duration = Duration::from_secs(10);

/// A session as Auth gives it.
#[derive(Deserialize)]
pub(super) struct Granted {
    pub access_token: String,
    pub refresh_token: String,
    /// Seconds.
    pub expires_in: u32,
}

/// Why nobody was let in.
pub(super) enum Denied {
    /// What Auth says of it.
    Refused(String),
    /// Auth does not answer.
    Away,
}

pub(super) async fn with_password(supabase: &Supabase, email: &str, password: &str) -> Result<Granted, Denied> {
    grant(supabase, "password", &json!({"email": email, "password": password})).await
}

pub(super) async fn refresh(supabase: &Supabase, token: &str) -> Result<Granted, Denied> {
    grant(supabase, "refresh_token", &json!({"refresh_token": token})).await
}

/// For the code that a link or a provider led back with.
pub(super) async fn with_code(supabase: &Supabase, code: &str, verifier: &str) -> Result<Granted, Denied> {
    grant(supabase, "pkce", &json!({"auth_code": code, "code_verifier": verifier})).await
}

async fn grant(supabase: &Supabase, kind: &str, body: &Value) -> Result<Granted, Denied> {
    let answer = post(supabase, &format!("token?grant_type={kind}"), body).await?;
    serde_json::from_value(answer).map_err(|_| Denied::Away)
}

/// Has a link sent that leads to `back` with a code.
pub(super) async fn send_link(supabase: &Supabase, email: &str, back: &str, verifier: &str) -> Result<(), Denied> {
    let body = json!({"email": email, "create_user": false, "code_challenge": challenge(verifier), "code_challenge_method": "s256"});
    post(supabase, &format!("otp?redirect_to={}", encode(back)), &body).await.map(drop)
}

/// Where a provider begins.
pub(super) fn provider_url(supabase: &Supabase, provider: &str, back: &str, verifier: &str) -> String {
    let (provider, back, challenge) = (encode(provider), encode(back), challenge(verifier));
    format!(
        "{}/auth/v1/authorize?provider={provider}&redirect_to={back}&code_challenge={challenge}&code_challenge_method=s256",
        supabase.url
    )
}

/// Ends the session at Auth too; that it cannot be reached keeps nobody signed in here.
pub(super) async fn sign_out(supabase: &Supabase, token: &str) {
    let request = net::client().post(format!("{}/auth/v1/logout?scope=local", supabase.url)).header("apikey", &supabase.anon_key);
    if let Err(error) = request.bearer_auth(token).timeout(DEADLINE).send().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "Auth was not told of a sign-out");
    }
}

async fn post(supabase: &Supabase, path: &str, body: &Value) -> Result<Value, Denied> {
    let request = net::client().post(format!("{}/auth/v1/{path}", supabase.url)).header("apikey", &supabase.anon_key);
    let answer = request.json(body).timeout(DEADLINE).send().await.map_err(|_| Denied::Away)?;
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    if status.is_server_error() {
        return Err(Denied::Away);
    }
    let said = ["msg", "error_description", "message"].into_iter().find_map(|field| body[field].as_str());
    Err(Denied::Refused(said.unwrap_or("it was refused").to_owned()))
}

/// What is sent ahead of a verifier (RFC 7636, S256).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
