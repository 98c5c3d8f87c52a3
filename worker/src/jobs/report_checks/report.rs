//! The loop: checks that are due are created or updated at the forge, and recorded.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use nofx_shared::db::Db;
use nofx_shared::gates::{self, Check, Evidence, ReportedCheck};
use nofx_shared::net;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::check_run::{annotations, check_body};
use super::github::{find, repository_url, send, token};
use super::proof::{Proof, proof_of};
use crate::step::Services;

/// GitHub's limit for one request.
const ANNOTATIONS_PER_REQUEST: usize = 50;
/// For the report of one check. A claim lasts 90 s, and a tenant has 4 checks in it.
const DEADLINE: Duration = Duration::from_secs(20);

pub(in crate::jobs) async fn run(db: Db, services: Arc<Services>, stop: CancellationToken) {
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
            let mut of_tenants: HashMap<Uuid, Vec<Check>> = HashMap::new();
            for check in checks {
                of_tenants.entry(check.tenant_id).or_default().push(check);
            }
            join_all(of_tenants.into_values().map(|checks| report_all(&client, &db, &services, checks))).await;
        }
    }
}

/// Reports the checks of a tenant, one after the other: they share a token. Those of other tenants are reported meanwhile.
async fn report_all(client: &Client, db: &Db, services: &Services, checks: Vec<Check>) {
    let mut tokens = HashMap::new();
    for check in checks {
        let reported = match proof_of(&check, &services.forges.github) {
            Proof::Proven => match timeout(DEADLINE, report(client, services, &check, &mut tokens)).await {
                Ok(reported) => reported.map(Some),
                Err(_) => Err(format!("the forge did not answer within {} seconds", DEADLINE.as_secs())),
            },
            Proof::Later => Ok(None),
            Proof::Refused(why) => {
                tracing::warn!(step.id = %check.step_id, repository = check.repository, why, "a check is refused");
                if let Err(error) = gates::refuse_check(db, &check, &why).await {
                    tracing::warn!(%error, step.id = %check.step_id, "could not record that a check is refused; the next round will");
                }
                continue;
            }
        };
        match reported {
            Ok(reported) => match gates::mark_check_reported(db, &check, reported.as_ref()).await {
                Ok(true) => services.checks.notify_one(),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, step.id = %check.step_id, "could not record a reported check; the check will be reported again")
                }
            },
            Err(why) => {
                tracing::warn!(step.id = %check.step_id, repository = check.repository, why, "could not report a check to the forge");
                // If this is not recorded, its claim lasts 90 seconds; then it is due again.
                if let Err(error) = gates::put_off_check(db, &check, &why).await {
                    tracing::warn!(%error, step.id = %check.step_id, "could not record that the report of a check failed");
                }
            }
        }
    }
}

/// Creates or updates a check on GitHub.
async fn report(
    client: &Client,
    services: &Services,
    check: &Check,
    tokens: &mut HashMap<(Uuid, String), String>,
) -> Result<ReportedCheck, String> {
    let key = (check.tenant_id, check.repository.clone());
    let token = match tokens.get(&key) {
        Some(token) => token.clone(),
        None => {
            let token = token(client, services, check).await?;
            tokens.insert(key, token.clone());
            token
        }
    };
    let github = &services.forges.github;
    let run = |id: u64| repository_url(github, check, &["check-runs", &id.to_string()]);
    let found = match check.check_id {
        Some(id) => Some(id),
        None => find(client, github, &token, check).await?,
    };
    let evidence = evidence(services, check).await;
    let mut annotations: Vec<Value> = evidence.as_ref().map(annotations).unwrap_or_default();
    let rest = annotations.split_off(annotations.len().min(ANNOTATIONS_PER_REQUEST));
    let body = check_body(services, check, evidence.as_ref(), &annotations);
    let response = match found {
        Some(id) => send(client, Method::PATCH, run(id)?, &token, Some(&body)).await?,
        None => send(client, Method::POST, repository_url(github, check, &["check-runs"])?, &token, Some(&body)).await?,
    };
    let id = response["id"].as_u64().ok_or("GitHub did not return a check run")?;
    // More requests add the rest of the annotations.
    for more in rest.chunks(ANNOTATIONS_PER_REQUEST) {
        let output = json!({"title": body["output"]["title"], "summary": body["output"]["summary"], "annotations": more});
        send(client, Method::PATCH, run(id)?, &token, Some(&json!({"output": output}))).await?;
    }
    Ok(ReportedCheck { id, app_id: response["app"]["id"].as_u64() })
}

/// A gate's evidence; the check is reported without it if it cannot be read.
async fn evidence(services: &Services, check: &Check) -> Option<Evidence> {
    let stored = check.evidence.as_ref().filter(|_| check.state == "completed")?;
    let bytes = services.storage.download(&stored.blob).await.ok()?.bytes().await.ok()?;
    serde_json::from_slice(&bytes).ok()
}
