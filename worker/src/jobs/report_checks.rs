//! Reports the gates of runs from a pull request to the forge: one GitHub Check Run for each.
//!
//! Woken when a gate starts or ends on this worker, and by the sweep. The database records each report; a check that was created but not
//! recorded, because its worker was killed, is found by its `external_id`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use nofx_shared::db::Db;
use nofx_shared::gates::{self, Check, Evidence, Severity};
use nofx_shared::net;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::step::Services;

/// GitHub's limit for one request.
const ANNOTATIONS_PER_REQUEST: usize = 50;
/// Limit for one check.
const MAX_ANNOTATIONS: usize = 500;

pub(crate) async fn run(db: Db, services: Arc<Services>, stop: CancellationToken) {
    let client = net::client();
    loop {
        tokio::select! { () = services.checks.notified() => {}, () = stop.cancelled() => return }
        loop {
            let checks = match gates::claim_checks(&db).await {
                Ok(checks) if checks.is_empty() => break,
                Ok(checks) => checks,
                Err(error) => {
                    tracing::warn!(%error, "could not list the checks to report; the next sweep will");
                    break;
                }
            };
            let mut tokens = HashMap::new();
            for check in checks {
                match report(&client, &services, &check, &mut tokens).await {
                    Ok(id) => match gates::mark_check_reported(&db, &check, id).await {
                        Ok(true) => services.checks.notify_one(),
                        Ok(false) => {}
                        Err(error) => {
                            tracing::warn!(%error, step.id = %check.step_id, "could not record a reported check; the check will be reported again")
                        }
                    },
                    // Its claim lasts 20 seconds; then it is due again.
                    Err(why) => {
                        tracing::warn!(step.id = %check.step_id, repository = check.repository, why, "could not report a check to the forge")
                    }
                }
            }
        }
    }
}

/// Creates or updates a check at GitHub; returns its id there.
async fn report(client: &Client, services: &Services, check: &Check, tokens: &mut HashMap<(Uuid, String), String>) -> Result<u64, String> {
    let key = (check.tenant_id, check.repository.clone());
    let token = match tokens.get(&key) {
        Some(token) => token.clone(),
        None => {
            let token = token(client, services, check).await?;
            tokens.insert(key, token.clone());
            token
        }
    };
    let base = format!("{}/repos/{}", services.forges.github, check.repository);
    let found = match check.check_id {
        Some(id) => Some(id),
        None => find(client, &base, &token, check).await?,
    };
    let evidence = evidence(services, check).await;
    let mut annotations: Vec<Value> = evidence.as_ref().map(annotations).unwrap_or_default();
    let rest = annotations.split_off(annotations.len().min(ANNOTATIONS_PER_REQUEST));
    let body = check_body(services, check, evidence.as_ref(), &annotations);
    let response = match found {
        Some(id) => send(client, Method::PATCH, &format!("{base}/check-runs/{id}"), &token, Some(&body)).await?,
        None => send(client, Method::POST, &format!("{base}/check-runs"), &token, Some(&body)).await?,
    };
    let id = response["id"].as_u64().ok_or("GitHub did not return a check run")?;
    // More requests add the rest of the annotations.
    for more in rest.chunks(ANNOTATIONS_PER_REQUEST) {
        let output = json!({"title": body["output"]["title"], "summary": body["output"]["summary"], "annotations": more});
        send(client, Method::PATCH, &format!("{base}/check-runs/{id}"), &token, Some(&json!({"output": output}))).await?;
    }
    Ok(id)
}

/// The id of a check that was created but not recorded.
async fn find(client: &Client, base: &str, token: &str, check: &Check) -> Result<Option<u64>, String> {
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

fn external_id(check: &Check) -> String {
    check.step_id.to_string()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn check_body(services: &Services, check: &Check, evidence: Option<&Evidence>, annotations: &[Value]) -> Value {
    let title = match (check.state.as_str(), &check.question) {
        ("queued", _) => "Queued".to_owned(),
        ("in_progress", Some(question)) if check.status == "waiting" => format!("Waiting for approval: {question}"),
        ("in_progress", _) => "Running".to_owned(),
        _ => evidence.map_or_else(|| check.status.replace('_', " "), |evidence| evidence.summary.chars().take(200).collect()),
    };
    let why = check.error.as_ref().and_then(|error| error["message"].as_str()).unwrap_or_default();
    let findings = evidence.map_or(0, |evidence| evidence.findings_total);
    let summary = format!("`{}`. {findings} findings. {why}", check.tool);
    let mut body = json!({
        "name": check.name, "head_sha": check.head_sha, "external_id": external_id(check), "status": check.state,
        "output": {"title": title, "summary": summary.chars().take(60_000).collect::<String>(), "annotations": annotations},
    });
    if let Some(url) = &services.public_url {
        body["details_url"] = json!(format!("{url}/ui/runs/{}", check.run_id));
    }
    let instant = |at: chrono::DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    if let Some(at) = check.started_at {
        body["started_at"] = json!(instant(at));
    }
    if check.state == "completed" {
        body["completed_at"] = json!(instant(check.ended_at.unwrap_or_else(Utc::now)));
        body["conclusion"] = json!(match check.status.as_str() {
            "succeeded" => "success",
            "skipped" => "skipped",
            "cancelled" => "cancelled",
            "timed_out" => "timed_out",
            _ => "failure",
        });
    }
    body
}

/// An annotation for each finding with a line; all findings are in the evidence.
fn annotations(evidence: &Evidence) -> Vec<Value> {
    let placed = evidence.findings.iter().filter_map(|finding| Some((finding, finding.file.as_ref()?, finding.line?)));
    placed
        .take(MAX_ANNOTATIONS)
        .map(|(finding, file, line)| {
            let level = match finding.severity {
                Severity::Error => "failure",
                Severity::Warning => "warning",
                Severity::Info => "notice",
            };
            json!({"path": file, "start_line": line, "end_line": line, "annotation_level": level, "message": finding.message, "title": finding.rule})
        })
        .collect()
}

/// A gate's evidence; the check is reported without it if it cannot be read.
async fn evidence(services: &Services, check: &Check) -> Option<Evidence> {
    let stored = check.evidence.as_ref().filter(|_| check.state == "completed")?;
    let bytes = services.storage.download(&stored.blob).await.ok()?.bytes().await.ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The tenant's `GITHUB_TOKEN`, or a token of its GitHub App for the repository.
async fn token(client: &Client, services: &Services, check: &Check) -> Result<String, String> {
    let secret = async |name: &str| {
        let found = services.secrets.read(check.tenant_id, &[name.to_owned()]).await;
        found
            .map_err(|error| error.to_string())
            .and_then(|mut found| found.remove(name).ok_or_else(|| format!("the secret {name} was not found")))
    };
    let (Ok(app), Ok(key)) = (secret("GITHUB_APP_ID").await, secret("GITHUB_APP_KEY").await) else {
        return secret("GITHUB_TOKEN").await.map_err(|why| format!("neither GITHUB_APP_ID and GITHUB_APP_KEY nor GITHUB_TOKEN: {why}"));
    };
    let now = Utc::now().timestamp();
    let key = EncodingKey::from_rsa_pem(key.as_bytes()).map_err(|error| format!("GITHUB_APP_KEY: {error}"))?;
    // GitHub accepts ten minutes at most, and clocks differ.
    let claims = json!({"iat": now - 60, "exp": now + 540, "iss": app});
    let jwt = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).map_err(|error| format!("GITHUB_APP_KEY: {error}"))?;
    let github = &services.forges.github;
    let installation = send(client, Method::GET, &format!("{github}/repos/{}/installation", check.repository), &jwt, None).await?;
    let id = installation["id"].as_u64().ok_or("the GitHub App is not installed for the repository")?;
    let created = send(client, Method::POST, &format!("{github}/app/installations/{id}/access_tokens"), &jwt, Some(&json!({}))).await?;
    created["token"].as_str().map(str::to_owned).ok_or_else(|| "GitHub returned no token".to_owned())
}

async fn send(client: &Client, method: Method, url: &str, token: &str, body: Option<&Value>) -> Result<Value, String> {
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
