//! Delivers events to hooks: reads new events, enqueues a delivery for each hook that matches, and attempts deliveries that are due. It is
//! woken by settles of this worker, by the sweep, and when the next attempt is due. Deliveries are rows of their own: a slow hook delays no
//! run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use futures::future::join_all;
use nofx_shared::db::Db;
use nofx_shared::engine;
use nofx_shared::events::{CloudEvent, Cursor};
use nofx_shared::hooks::{self, Delivery, DueDelivery, HookBatch, HookResponse, HookTarget};
use nofx_shared::plan;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::step::Services;

/// Timeout of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest sleep: the sweep wakes this job anyway.
const MAX_SLEEP: Duration = Duration::from_secs(3600);
/// Wait between a settle and the read of its events: they are readable once older transactions have ended.
const READ_DELAY: Duration = Duration::from_millis(100);

pub(crate) async fn run(db: Db, services: Arc<Services>, metrics: Arc<Metrics>, stop: CancellationToken) {
    let mut sleep = MAX_SLEEP;
    loop {
        tokio::select! {
            () = services.hooks.notified() => tokio::time::sleep(READ_DELAY).await,
            () = tokio::time::sleep(sleep) => {}
            () = stop.cancelled() => return,
        }
        match deliver_due(&db, &services, &metrics).await {
            Ok(next) => sleep = next,
            Err(error) => {
                tracing::warn!(%error, "could not deliver hooks; retrying");
                sleep = Duration::from_secs(5);
            }
        }
    }
}

/// Reads events and attempts deliveries until none is due; returns the time until the next one is.
async fn deliver_due(db: &Db, services: &Services, metrics: &Metrics) -> Result<Duration, nofx_shared::db::Error> {
    loop {
        let unread = hooks::read_hook_events(db).await?;
        for batch in &unread {
            enqueue(db, batch).await?;
        }
        let claimed = hooks::claim_deliveries(db).await?;
        if unread.is_empty() && claimed.due.is_empty() {
            let wait = claimed.next_at.map(|at| (at - Utc::now()).to_std().unwrap_or_default());
            return Ok(wait.unwrap_or(MAX_SLEEP).max(Duration::from_millis(100)));
        }
        join_all(claimed.due.iter().map(|due| async {
            let result = attempt(db, services, due).await;
            let outcome = if result["delivered"] == true { "delivered" } else { "failed" };
            metrics.hook_deliveries.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
            if let Err(error) = hooks::record_delivery_attempt(db, due.id, &result).await {
                tracing::warn!(%error, delivery = %due.id, "could not record a delivery attempt; the delivery will be repeated");
            }
        }))
        .await;
    }
}

/// Enqueues a delivery for each hook whose filter matches an event.
async fn enqueue(db: &Db, batch: &HookBatch) -> Result<(), nofx_shared::db::Error> {
    let Some(last) = batch.events.last().map(nofx_shared::events::EventRow::cursor) else { return Ok(()) };
    let mut deliveries = vec![];
    for row in &batch.events {
        let event = CloudEvent::from(row.clone());
        let value = serde_json::to_value(&event).unwrap_or_default();
        let matching = batch.hooks.iter().filter(|hook| hooks::matches(&hook.filter, Some(&value), None));
        deliveries.extend(matching.map(|hook| Delivery {
            hook_id: hook.id,
            dedup_key: event.id.clone(),
            body: value.to_string(),
            run_id: event.runid,
        }));
    }
    let from = Cursor { tx: batch.tx, id: batch.id };
    hooks::advance_hook_cursor(db, batch.tenant_id, from, last, &deliveries).await.map(drop)
}

/// Attempts a delivery; returns the result that `record_delivery_attempt` takes.
async fn attempt(db: &Db, services: &Services, due: &DueDelivery) -> Value {
    let started_at = Instant::now();
    let networks = if services.allow_private_addresses { nofx_shared::net::everywhere() } else { due.networks.clone() };
    let id = due.id.to_string();
    let response = match &due.target {
        HookTarget::Webhook { url } => hooks::post(url, &networks, &due.secrets, &id, &due.body, ATTEMPT_TIMEOUT).await,
        HookTarget::Slack { url } => {
            let body = slack(&due.body, services.public_url.as_deref());
            hooks::post(url, &networks, &[], &id, &body, ATTEMPT_TIMEOUT).await
        }
        HookTarget::Tool { tool, inputs } => create_run(db, due, tool, inputs).await,
        HookTarget::Function { name } => {
            let payload: Value = serde_json::from_str(&due.body).unwrap_or_default();
            let arguments = json!({"p_name": name, "p_tenant": due.tenant_id, "p_payload": payload});
            let called = db.call::<_, Value>("call_hook_function", &arguments).await;
            called.map(|returned| delivered(&returned)).map_err(|error| error.problem().detail)
        }
    };
    let duration_ms = u64::try_from(started_at.elapsed().as_millis()).unwrap_or(u64::MAX);
    match response {
        // A redirect counts as a failure and is not followed: the tenant did not choose its address.
        Ok(response) => json!({
            "duration_ms": duration_ms, "status": response.status, "response": response.body,
            "delivered": (200..300).contains(&response.status), "gone": response.status == 410,
            "wait_s": response.retry_after_s.map(|wait| wait.min(3600)),
        }),
        Err(error) => json!({"duration_ms": duration_ms, "error": error}),
    }
}

/// The response of a target that is not called by HTTP.
fn delivered(body: &Value) -> HookResponse {
    HookResponse { status: 200, body: body.to_string(), retry_after_s: None }
}

/// Creates a run of one step, in the name of the hook's author. It gets the delivery's id, so that it is created once.
async fn create_run(db: &Db, due: &DueDelivery, tool: &str, inputs: &serde_json::Map<String, Value>) -> Result<HookResponse, String> {
    let env = json!({"NOFX_EVENT": escape_expressions(&due.body)});
    let submitted = json!({"goal": format!("hook {}", due.hook), "steps": [{"name": "hook", "tool": tool, "inputs": inputs, "env": env}]});
    let plan = plan::from_json(&submitted).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect();
        format!("the tool's step was refused: {}", faults.join("; "))
    })?;
    let run = engine::create_run_for(db, due.tenant_id, &due.created_by, due.id, &plan, &submitted, None).await;
    run.map(|run| delivered(&json!({"run_id": run.id}))).map_err(|error| error.problem().detail)
}

/// The same JSON without expressions: an event is data, but `${{ … }}` in a step's environment is evaluated.
fn escape_expressions(json: &str) -> String {
    // In JSON, `$` occurs in strings only, where this escape stands for it.
    json.replace("${{", "\\u0024{{")
}

/// An event as a message of Slack.
fn slack(body: &str, public_url: Option<&str>) -> String {
    let event: Value = serde_json::from_str(body).unwrap_or_default();
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let fields: Vec<String> = event["data"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| !value.is_object() && !value.is_array() && *name != "link")
        .map(|(name, value)| format!("{name}: {}", escape(value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str())))
        .collect();
    let run = event["runid"].as_str().map(|run| format!("/ui/runs/{run}"));
    let link = event["data"]["link"].as_str().map(str::to_owned).or(run);
    let link = public_url.zip(link).map(|(url, link)| format!("\n<{url}{link}|View>")).unwrap_or_default();
    let text: String =
        format!("*{}*\n{}", escape(event["type"].as_str().unwrap_or("request")), fields.join("\n")).chars().take(2900).collect();
    json!({"text": format!("{text}{link}")}).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{escape_expressions, slack};

    #[test]
    fn an_event_is_not_evaluated_as_an_expression() {
        let event = json!({"data": {"goal": "${{ run.id }} and $5"}});
        let escaped = escape_expressions(&event.to_string());
        assert!(!escaped.contains("${{"), "{escaped}");
        assert_eq!(serde_json::from_str::<Value>(&escaped).expect("JSON"), event);
    }

    #[test]
    fn a_message_has_the_event_and_its_fields_and_escapes_markup() {
        let event =
            json!({"type": "alert.raised", "data": {"kind": "queue_depth", "value": 12, "note": "<b>&", "link": "/ui/system#alerts"}});
        let message: Value = serde_json::from_str(&slack(&event.to_string(), Some("https://nofx.example"))).expect("JSON");
        let text = message["text"].as_str().expect("a text");
        assert_eq!(
            text,
            "*alert.raised*\nkind: queue_depth\nvalue: 12\nnote: &lt;b&gt;&amp;\n<https://nofx.example/ui/system#alerts|View>"
        );
    }
}
