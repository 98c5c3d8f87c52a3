//! One attempt of a delivery: a request, a message to Slack, a run of one step, or a call of a function of the database.

use std::time::{Duration, Instant};

use nofx_shared::db::Db;
use nofx_shared::engine;
use nofx_shared::hooks::{self, DueDelivery, HookResponse, HookTarget};
use nofx_shared::plan;
use serde_json::{Value, json};

use super::slack::message;
use crate::step::Services;

/// Timeout of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// Attempts a delivery; returns the result that `record_delivery_attempt` takes.
pub(super) async fn attempt(db: &Db, services: &Services, due: &DueDelivery) -> Value {
    let started_at = Instant::now();
    let networks = if services.allow_private_addresses { nofx_shared::net::everywhere() } else { due.networks.clone() };
    let id = due.id.to_string();
    let response = match due.open(&services.keys) {
        Err(error) => Err(format!("the hook could not be opened: {error}")),
        Ok((HookTarget::Webhook { url }, secrets)) => hooks::post(&url, &networks, &secrets, &id, &due.body, ATTEMPT_TIMEOUT).await,
        Ok((HookTarget::Slack { url }, _)) => {
            let body = message(&due.body, services.public_url.as_deref());
            hooks::post(&url, &networks, &[], &id, &body, ATTEMPT_TIMEOUT).await
        }
        Ok((HookTarget::Tool { tool, inputs }, _)) => create_run(db, due, &tool, &inputs).await,
        Ok((HookTarget::Function { name }, _)) => {
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
            "wait_s": response.retry_after.map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0)),
        }),
        Err(error) => json!({"duration_ms": duration_ms, "error": error}),
    }
}

/// The response of a target that is not called by HTTP.
fn delivered(body: &Value) -> HookResponse {
    HookResponse { status: 200, body: body.to_string(), retry_after: None }
}

/// Creates a run of one step, in the name of the hook's author. It gets the delivery's id, so that it is created once.
async fn create_run(db: &Db, due: &DueDelivery, tool: &str, inputs: &serde_json::Map<String, Value>) -> Result<HookResponse, String> {
    let env = json!({"NOFX_EVENT": escape_expressions(&due.body)});
    let submitted = json!({"goal": format!("hook {}", due.hook), "steps": [{"name": "hook", "tool": tool, "inputs": inputs, "env": env}]});
    let (plan, submitted) = plan::check_apart(submitted).await.map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect();
        format!("the step for the tool is invalid: {}", faults.join("; "))
    })?;
    let run = engine::create_run_for(db, due.tenant_id, &due.created_by, due.id, &plan, &submitted, None).await;
    run.map(|run| delivered(&json!({"run_id": run.id}))).map_err(|error| error.problem().detail)
}

/// The same JSON without expressions: an event is data, but `${{ … }}` in a step's environment is evaluated.
fn escape_expressions(json: &str) -> String {
    // In JSON, `$` occurs in strings only, where this escape stands for it.
    json.replace("${{", "\\u0024{{")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::escape_expressions;

    #[test]
    fn an_event_is_not_evaluated_as_an_expression() {
        let event = json!({"data": {"goal": "${{ run.id }} and $5"}});
        let escaped = escape_expressions(&event.to_string());
        assert!(!escaped.contains("${{"), "{escaped}");
        assert_eq!(serde_json::from_str::<Value>(&escaped).expect("JSON"), event);
    }
}
