//! Calls of the function that executes steps, made by hand.

use chrono::Utc;
use nofx_shared::crypto::FunctionKey;
use nofx_shared::db::Db;
use nofx_shared::function_calls::{FunctionCall, PATH, SIGNATURE_HEADER};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::own::Own;

/// A stack without workers: the test is one.
pub struct ByHand {
    pub own: Own,
    pub url: String,
    pub key: FunctionKey,
    service: Db,
}

impl ByHand {
    /// `name`: of its folder.
    pub fn start(name: &str) -> Self {
        let own = Own::start_with(&Own::folder(name), &["--workers", "0"], &[("NOFX_ALLOW_PRIVATE_ADDRESSES", "true")]);
        let dev = own.dev();
        let text = |name: &str| dev[name].as_str().unwrap_or_else(|| panic!("dev.json has no {name}")).to_owned();
        let service = Db::new(&text("rest_url"), &text("anon_key"), text("service_role_key"));
        Self { url: format!("{}{PATH}", text("api_url")), key: text("function_key").parse().expect("a key"), service, own }
    }

    /// The same, calling a function that is deployed elsewhere.
    pub fn calling(self, base_url: &str) -> Self {
        Self { url: format!("{base_url}{PATH}"), ..self }
    }

    /// Submits a run of one step of the driver and claims it.
    pub async fn claim(&self, tool: &str, inputs: Value) -> Value {
        let step = json!({"name": "a", "tool": tool, "driver": "vercel-function", "inputs": inputs});
        self.own.submit(&json!({"goal": "x", "steps": [step]})).await;
        self.claimed().await
    }

    /// Claims a step that is ready.
    pub async fn claimed(&self) -> Value {
        let claim = json!({"p_worker": "the test", "p_capacity": 1});
        let claims: Vec<Value> = self.service.call("claim_steps", &claim).await.expect("claims");
        claims.into_iter().next().expect("a step")
    }

    /// Sends a body; the status, and the JSON of the answer.
    pub async fn post(&self, body: &[u8], signature: &str) -> (u16, Value) {
        let request = nofx_shared::net::client().post(&self.url).header(SIGNATURE_HEADER, signature).body(body.to_vec());
        let response = request.send().await.expect("the API answers");
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    /// Sends a call as it should be.
    pub async fn call(&self, call: &FunctionCall) -> (u16, Value) {
        let body = serde_json::to_vec(call).expect("JSON");
        self.post(&body, &self.key.sign(&body)).await
    }

    /// How many calls were begun.
    pub async fn begun(&self) -> i64 {
        self.own.sql().await.query_one("select count(*) from nofx_private.function_call", &[]).await.expect("a count").get(0)
    }
}

/// A call for the first attempt of a claimed step.
pub fn call(claim: &Value, work: Value) -> FunctionCall {
    let id = |name: &str| claim[name].as_str().and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no {name}: {claim}"));
    FunctionCall {
        tenant_id: id("tenant_id"),
        run_id: id("run_id"),
        step_id: id("id"),
        attempt: 1,
        token: id("token"),
        tool: claim["tool"].as_str().expect("a tool").to_owned(),
        nonce: Uuid::now_v7(),
        issued_at: Utc::now().timestamp(),
        timeout_s: 45,
        work,
    }
}

/// All of a tool.
pub fn work(inputs: &Value) -> Value {
    json!({"tool": {"inputs": inputs, "idempotency_key": null}})
}

/// The same call in a new request.
pub fn again(call: &FunctionCall) -> FunctionCall {
    FunctionCall { nonce: Uuid::now_v7(), ..call.clone() }
}
