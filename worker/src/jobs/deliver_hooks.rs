//! Tells hooks: looks which events they want, and delivers what is due. Woken when something was settled here, by the sweep, and when the
//! next try is due. What a hook does never holds up a run: its deliveries are rows of their own.

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

use crate::consume::Tools;
use crate::metrics::Metrics;

/// How long a receiver may take.
const LIMIT: Duration = Duration::from_secs(15);
/// Longest sleep: the sweep wakes this job anyway.
const LONGEST: Duration = Duration::from_secs(3600);
/// How soon after a settle to look: its events are readable once older transactions are over.
const SOON: Duration = Duration::from_millis(100);

pub(crate) async fn run(db: Db, tools: Arc<Tools>, metrics: Arc<Metrics>, stop: CancellationToken) {
    let mut sleep = LONGEST;
    loop {
        tokio::select! {
            () = tools.hooks.notified() => tokio::time::sleep(SOON).await,
            () = tokio::time::sleep(sleep) => {}
            () = stop.cancelled() => return,
        }
        match round(&db, &tools, &metrics).await {
            Ok(next) => sleep = next,
            Err(error) => {
                tracing::warn!(%error, "could not deliver hooks; retrying");
                sleep = Duration::from_secs(5);
            }
        }
    }
}

/// Looks and delivers until nothing is due; how long until something is.
async fn round(db: &Db, tools: &Tools, metrics: &Metrics) -> Result<Duration, nofx_shared::db::Error> {
    loop {
        let unread = hooks::read_hook_events(db).await?;
        for one in &unread {
            distribute(db, one).await?;
        }
        let taken = hooks::claim_deliveries(db).await?;
        if unread.is_empty() && taken.due.is_empty() {
            let wait = taken.next_at.map(|at| (at - Utc::now()).to_std().unwrap_or_default());
            return Ok(wait.unwrap_or(LONGEST).max(Duration::from_millis(100)));
        }
        join_all(taken.due.iter().map(|due| async {
            let attempt = deliver(db, tools, due).await;
            let outcome = if attempt["delivered"] == true { "delivered" } else { "failed" };
            metrics.hook_deliveries.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
            if let Err(error) = hooks::record_delivery_attempt(db, due.id, &attempt).await {
                tracing::warn!(%error, delivery = %due.id, "could not record a delivery attempt; the delivery will be repeated");
            }
        }))
        .await;
    }
}

/// Notes which hooks want which events.
async fn distribute(db: &Db, unread: &HookBatch) -> Result<(), nofx_shared::db::Error> {
    let Some(last) = unread.events.last().map(nofx_shared::events::EventRow::cursor) else { return Ok(()) };
    let mut deliveries = vec![];
    for row in &unread.events {
        let event = CloudEvent::from(row.clone());
        let value = serde_json::to_value(&event).unwrap_or_default();
        let wanting = unread.hooks.iter().filter(|hook| hooks::matches(&hook.filter, Some(&value), None));
        deliveries.extend(wanting.map(|hook| Delivery {
            hook_id: hook.id,
            dedup_key: event.id.clone(),
            body: value.to_string(),
            run_id: event.runid,
        }));
    }
    let from = Cursor { tx: unread.tx, id: unread.id };
    hooks::advance_hook_cursor(db, unread.tenant_id, from, last, &deliveries).await.map(drop)
}

/// One try; what came of it, as `record_delivery_attempt` takes it.
async fn deliver(db: &Db, tools: &Tools, due: &DueDelivery) -> Value {
    let began = Instant::now();
    let networks = if tools.allow_private_addresses { nofx_shared::net::everywhere() } else { due.networks.clone() };
    let id = due.id.to_string();
    let said = match &due.target {
        HookTarget::Webhook { url } => hooks::post(url, &networks, &due.secrets, &id, &due.body, LIMIT).await,
        HookTarget::Slack { url } => hooks::post(url, &networks, &[], &id, &slack(&due.body, tools.public_url.as_deref()), LIMIT).await,
        HookTarget::Tool { tool, inputs } => start(db, due, tool, inputs).await,
        HookTarget::Function { name } => {
            let payload: Value = serde_json::from_str(&due.body).unwrap_or_default();
            let arguments = json!({"p_name": name, "p_tenant": due.tenant_id, "p_payload": payload});
            db.call::<_, Value>("call_hook_function", &arguments).await.map(|answer| done(&answer)).map_err(|error| error.problem().detail)
        }
    };
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    match said {
        // A redirect is not followed: the next address would be nobody's choice.
        Ok(said) => json!({
            "duration_ms": duration_ms, "status": said.status, "response": said.body, "delivered": (200..300).contains(&said.status),
            "gone": said.status == 410, "wait_s": said.retry_after_s.map(|wait| wait.min(3600)),
        }),
        Err(error) => json!({"duration_ms": duration_ms, "error": error}),
    }
}

fn done(answer: &Value) -> HookResponse {
    HookResponse { status: 200, body: answer.to_string(), retry_after_s: None }
}

/// Makes a run of one step, in the name of whoever made the hook; its id is the delivery's, so that it is made once.
async fn start(db: &Db, due: &DueDelivery, tool: &str, inputs: &serde_json::Map<String, Value>) -> Result<HookResponse, String> {
    let env = json!({"NOFX_EVENT": inert(&due.body)});
    let submitted = json!({"goal": format!("hook {}", due.hook), "steps": [{"name": "hook", "tool": tool, "inputs": inputs, "env": env}]});
    let plan = plan::from_json(&submitted).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect();
        format!("the tool's step was refused: {}", faults.join("; "))
    })?;
    let run = engine::create_run_for(db, due.tenant_id, &due.created_by, due.id, &plan, &submitted, None).await;
    run.map(|run| done(&json!({"run_id": run.id}))).map_err(|error| error.problem().detail)
}

/// The same JSON without an expression in it: what an event tells is data, and a step's environment may hold `${{ … }}`.
fn inert(json: &str) -> String {
    // A dollar stands in strings only, and there it may be written so.
    json.replace("${{", "\\u0024{{")
}

/// An event as a message of Slack.
fn slack(body: &str, public_url: Option<&str>) -> String {
    let event: Value = serde_json::from_str(body).unwrap_or_default();
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let facts: Vec<String> = event["data"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| !value.is_object() && !value.is_array() && *name != "link")
        .map(|(name, value)| format!("{name}: {}", escape(value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str())))
        .collect();
    let run = event["runid"].as_str().map(|run| format!("/ui/runs/{run}"));
    let link = event["data"]["link"].as_str().map(str::to_owned).or(run);
    let link = public_url.zip(link).map(|(url, link)| format!("\n<{url}{link}|look>")).unwrap_or_default();
    let text: String =
        format!("*{}*\n{}", escape(event["type"].as_str().unwrap_or("request")), facts.join("\n")).chars().take(2900).collect();
    json!({"text": format!("{text}{link}")}).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{inert, slack};

    #[test]
    fn what_an_event_tells_is_no_expression() {
        let event = json!({"data": {"goal": "${{ run.id }} and $5"}});
        let inert = inert(&event.to_string());
        assert!(!inert.contains("${{"), "{inert}");
        assert_eq!(serde_json::from_str::<Value>(&inert).expect("JSON"), event);
    }

    #[test]
    fn a_message_names_the_event_and_its_facts_and_breaks_no_markup() {
        let event =
            json!({"type": "alert.raised", "data": {"kind": "queue_depth", "value": 12, "note": "<b>&", "link": "/ui/system#alerts"}});
        let message: Value = serde_json::from_str(&slack(&event.to_string(), Some("https://nofx.example"))).expect("JSON");
        let text = message["text"].as_str().expect("a text");
        assert_eq!(
            text,
            "*alert.raised*\nkind: queue_depth\nvalue: 12\nnote: &lt;b&gt;&amp;\n<https://nofx.example/ui/system#alerts|look>"
        );
    }
}
