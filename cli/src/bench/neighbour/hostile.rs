//! What one tenant can do to all: each kind of harm in a loop of its own, as fast as it is let.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::api::Api;
use crate::bench::stack::BenchStack;

/// Between two requests of a loop: what is refused for its rate comes back at once.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) struct Hostile {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    loops: Vec<JoinHandle<()>>,
}

impl Hostile {
    /// How many requests it has sent.
    pub(super) async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for one in self.loops {
            // One that panicked has sent less.
            drop(one.await);
        }
        self.sent.load(Ordering::Relaxed)
    }
}

/// Plans that the API takes or refuses, each a kind of harm.
fn plans() -> Vec<Value> {
    let step = |name: &str, more: Value| {
        let mut step = json!({"name": name, "tool": "noop", "needs": []});
        if let (Some(step), Some(more)) = (step.as_object_mut(), more.as_object()) {
            step.extend(more.clone());
        }
        step
    };
    let nested = (0..12).fold("true".to_owned(), |inner, n| format!("[1,1,1,1,1,1,1,1].all(x{n}, {inner})"));
    let list = format!("[{}]", vec!["1"; 100].join(","));
    let costly = format!("{list}.all(a, {list}.all(b, {list}.all(c, a + b + c > 0)))");
    let deep = (0..55).fold(json!(1), |inner, _| json!([inner]));
    let many: Vec<Value> = (0..200).map(|n| step(&format!("s{n}"), json!({}))).collect();
    let plan = |steps: Vec<Value>| json!({"goal": "harm", "steps": steps});
    vec![
        plan(vec![step("nested", json!({"if": nested}))]),
        plan((0..20).map(|n| step(&format!("costly {n}"), json!({"if": costly}))).collect()),
        plan(vec![step("items", json!({"for_each": format!("{list}.map(x, {list}.map(y, y))")}))]),
        plan(vec![
            step("deep", json!({"inputs": {"x": deep}})),
            step("reads", json!({"needs": ["deep"], "inputs": {"x": "${{ steps.deep.outputs }}"}})),
        ]),
        plan(vec![
            json!({"name": "slow", "tool": "db_write", "inputs": {"op": "insert", "table": "public.bench_slow", "values": {"note": "x"}}}),
        ]),
        // Events for the dead receiver, and a queue for everybody.
        plan(many),
    ]
}

/// Requests past the API, with a token of the tenant.
const PAST_THE_API: [(&str, &str); 4] = [
    (
        "rpc/create_run",
        "{\"p_id\": \"01900000-0000-7000-8000-000000000000\", \"p_run\": {\"goal\": \"x\"}, \"p_steps\": [{\"name\": \"a\", \"tool\": \"noop\", \"spec\": {\"refs\": 1}}]}",
    ),
    ("rpc/read_events", "{\"p_limit\": 1000}"),
    ("run?select=*,step(*),gate(*,gate_decision(*)),artifact(*)&order=goal.desc,plan.asc", ""),
    ("event?select=*,origin&order=data.desc", ""),
];

/// Starts all of it.
pub(super) fn start(stack: &BenchStack) -> Hostile {
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let dev = &stack.dev;
    let token = dev.tokens.get("admin").cloned().unwrap_or_default();
    let mut loops = vec![];
    for plan in plans() {
        let (api, stop, sent) = (Api::new(dev.api_url.clone(), token.clone()), Arc::clone(&stop), Arc::clone(&sent));
        loops.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                // Refused or not: it goes on.
                drop(api.post("/api/runs", &json!({"plan": plan})).await);
                sent.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(PAUSE).await;
            }
        }));
    }
    for (path, body) in PAST_THE_API {
        let (url, key, token) = (format!("{}/{path}", dev.rest_url), dev.anon_key.clone(), token.clone());
        let (stop, sent, client) = (Arc::clone(&stop), Arc::clone(&sent), nofx_shared::net::client());
        loops.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let request = if body.is_empty() { client.get(&url) } else { client.post(&url).body(body) };
                let request =
                    request.header("content-type", "application/json").header("content-profile", "nofx").header("accept-profile", "nofx");
                drop(request.header("apikey", &key).bearer_auth(&token).timeout(Duration::from_secs(30)).send().await);
                sent.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(PAUSE).await;
            }
        }));
    }
    Hostile { stop, sent, loops }
}
