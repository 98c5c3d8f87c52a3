//! Calls of GitHub's REST API (2022-11-28), and the token for them.

use std::time::Duration;

use chrono::Utc;
use jsonwebtoken::{Algorithm, Header};
use nofx_shared::crypto::jwt;
use nofx_shared::gates::Check;
use nofx_shared::secrets;
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};

use super::check_run::{external_id, name_of};
use crate::step::Services;

/// The id of a check that was created but not recorded.
pub(super) async fn find(client: &Client, github: &str, token: &str, check: &Check) -> Result<Option<u64>, String> {
    let mut url = repository_url(github, check, &["commits", &check.head_sha, "check-runs"])?;
    url.query_pairs_mut().extend_pairs([("check_name", name_of(check).as_str()), ("filter", "all"), ("per_page", "100")]);
    let listed = send(client, Method::GET, url, token, None).await?;
    let is_same = |one: &&Value| one["external_id"].as_str() == Some(&external_id(check)) && one["status"] != "completed";
    Ok(listed["check_runs"].as_array().into_iter().flatten().find(is_same).and_then(|one| one["id"].as_u64()))
}

/// The tenant's `GITHUB_TOKEN`, or a token of its GitHub App for the repository.
pub(super) async fn token(client: &Client, services: &Services, check: &Check) -> Result<String, String> {
    let secret = async |name: &str| {
        let names = [name.to_owned()];
        let found = services.secrets.read(check.tenant_id, &names).await;
        // Only what there is: without an App its names are tried each time.
        if found.is_ok() {
            secrets::record_use(&services.db, check.tenant_id, &names, None).await.map_err(|error| error.to_string())?;
        }
        found
            .map_err(|error| error.to_string())
            .and_then(|mut found| found.remove(name).ok_or_else(|| format!("the secret {name} was not found")))
    };
    let (Ok(app), Ok(key)) = (secret("GITHUB_APP_ID").await, secret("GITHUB_APP_KEY").await) else {
        return secret("GITHUB_TOKEN").await.map_err(|why| format!("set GITHUB_APP_ID and GITHUB_APP_KEY, or GITHUB_TOKEN: {why}"));
    };
    let now = Utc::now().timestamp();
    let key = jwt::rsa_key(&key).map_err(|error| format!("GITHUB_APP_KEY: {error}"))?;
    // GitHub accepts ten minutes at most, and clocks differ.
    let claims = json!({"iat": now - 60, "exp": now + 540, "iss": app});
    let jwt = jwt::sign(&Header::new(Algorithm::RS256), &claims, &key).map_err(|error| format!("GITHUB_APP_KEY: {error}"))?;
    let github = &services.forges.github;
    let installation = send(client, Method::GET, repository_url(github, check, &["installation"])?, &jwt, None).await?;
    let id = installation["id"].as_u64().ok_or("the GitHub App is not installed on the repository")?;
    let created =
        send(client, Method::POST, url(github, &["app", "installations", &id.to_string(), "access_tokens"])?, &jwt, Some(&json!({})))
            .await?;
    created["token"].as_str().map(str::to_owned).ok_or_else(|| "GitHub returned no token".to_owned())
}

/// The body of the response, or why there is none.
pub(super) async fn send(client: &Client, method: Method, url: Url, token: &str, body: Option<&Value>) -> Result<Value, String> {
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

/// An address below a check's repository. The plan names the repository: its name must not lead elsewhere, since the token goes with it.
pub(super) fn repository_url(github: &str, check: &Check, rest: &[&str]) -> Result<Url, String> {
    let (owner, name) = check.repository.split_once('/').ok_or_else(|| format!("{:?} is not owner/name", check.repository))?;
    url(github, &[&["repos", owner, name], rest].concat())
}

/// An address of the API; each segment is one, whatever characters it has.
fn url(github: &str, segments: &[&str]) -> Result<Url, String> {
    if let Some(bad) = segments.iter().find(|segment| matches!(**segment, "" | "." | "..")) {
        return Err(format!("{bad:?} cannot be part of an address at GitHub"));
    }
    let mut url: Url = github.parse().map_err(|error| format!("the address of GitHub is invalid: {error}"))?;
    url.path_segments_mut().map_err(|()| "the address of GitHub has no path".to_owned())?.pop_if_empty().extend(segments);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn a_segment_stays_one_whatever_it_is_called() {
        let of = |segments: &[&str]| url("https://ghe.example/api/v3", segments).map(String::from);
        assert_eq!(of(&["repos", "acme", "web"]).expect("an address"), "https://ghe.example/api/v3/repos/acme/web");
        assert_eq!(url("https://api.github.com/", &["app"]).map(String::from).expect("an address"), "https://api.github.com/app");
        let odd = of(&["repos", "a?b#c", "../d e%2f"]).expect("an address");
        assert_eq!(odd, "https://ghe.example/api/v3/repos/a%3Fb%23c/..%2Fd%20e%252f");
        for bad in ["", ".", ".."] {
            assert!(of(&["repos", "acme", bad, "installation"]).is_err(), "{bad:?}");
        }
        assert!(url("no address", &["app"]).is_err() && url("mailto:a@b", &["app"]).is_err());
    }
}
