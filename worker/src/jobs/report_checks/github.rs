//! Calls of GitHub's REST API (2022-11-28), and the token for them.

use std::time::Duration;

use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use nofx_shared::gates::Check;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::check_run::external_id;
use crate::step::Services;

/// The id of a check that was created but not recorded.
pub(super) async fn find(client: &Client, base: &str, token: &str, check: &Check) -> Result<Option<u64>, String> {
    let name = percent(&check.name);
    let listed = send(
        client,
        Method::GET,
        &format!("{base}/commits/{}/check-runs?check_name={name}&filter=all&per_page=100", check.head_sha),
        token,
        None,
    )
    .await?;
    let is_same = |one: &&Value| one["external_id"].as_str() == Some(&external_id(check)) && one["status"] != "completed";
    Ok(listed["check_runs"].as_array().into_iter().flatten().find(is_same).and_then(|one| one["id"].as_u64()))
}

/// The tenant's `GITHUB_TOKEN`, or a token of its GitHub App for the repository.
pub(super) async fn token(client: &Client, services: &Services, check: &Check) -> Result<String, String> {
    let secret = async |name: &str| {
        let found = services.secrets.read(check.tenant_id, &[name.to_owned()]).await;
        found
            .map_err(|error| error.to_string())
            .and_then(|mut found| found.remove(name).ok_or_else(|| format!("the secret {name} was not found")))
    };
    let (Ok(app), Ok(key)) = (secret("GITHUB_APP_ID").await, secret("GITHUB_APP_KEY").await) else {
        return secret("GITHUB_TOKEN").await.map_err(|why| format!("set GITHUB_APP_ID and GITHUB_APP_KEY, or GITHUB_TOKEN: {why}"));
    };
    let now = Utc::now().timestamp();
    let key = EncodingKey::from_rsa_pem(key.as_bytes()).map_err(|error| format!("GITHUB_APP_KEY: {error}"))?;
    // GitHub accepts ten minutes at most, and clocks differ.
    let claims = json!({"iat": now - 60, "exp": now + 540, "iss": app});
    let jwt = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).map_err(|error| format!("GITHUB_APP_KEY: {error}"))?;
    let github = &services.forges.github;
    let installation = send(client, Method::GET, &format!("{github}/repos/{}/installation", check.repository), &jwt, None).await?;
    let id = installation["id"].as_u64().ok_or("the GitHub App is not installed on the repository")?;
    let created = send(client, Method::POST, &format!("{github}/app/installations/{id}/access_tokens"), &jwt, Some(&json!({}))).await?;
    created["token"].as_str().map(str::to_owned).ok_or_else(|| "GitHub returned no token".to_owned())
}

/// The body of the response, or why there is none.
pub(super) async fn send(client: &Client, method: Method, url: &str, token: &str, body: Option<&Value>) -> Result<Value, String> {
    let request = client
        .request(method, url)
        .bearer_auth(token)
        .header("user-agent", "nofx")
        .header("accept", "application/vnd.github+json")
        .header("x-github-api-version", "2022-11-28")
        .timeout(Duration::from_secs(8));
    let request = body.into_iter().fold(request, reqwest::RequestBuilder::json);
    let response = request.send().await.map_err(|error| format!("no response from GitHub: {}", error.without_url()))?;
    let status = response.status();
    let body: Value = response.json().await.unwrap_or_default();
    if status.is_success() {
        Ok(body)
    } else {
        Err(format!("GitHub returned {}: {}", status.as_u16(), body["message"].as_str().unwrap_or_default()))
    }
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
