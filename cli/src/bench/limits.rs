//! `nofx bench limits`: the effect on callers within their limit while another sends four times its limit, over 200
//! connections for a minute.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::memory;
use super::report::{Report, percentile};
use super::stack::BenchStack;
use crate::exit::{Error, Exit, Outcome};

/// Requests a minute that a credential may make.
const LIMIT: u32 = 6000;
const CONNECTIONS: u32 = 200;
/// The load, as a multiple of the limit.
const TIMES: u32 = 4;
const SECONDS: u64 = 60;

pub(crate) async fn run(as_json: bool) -> Outcome {
    let limit = LIMIT.to_string();
    let stack = BenchStack::start_with(&[("NOFX_LIMIT_READS", limit.as_str())]).await?;
    let measured = measure(&stack).await;
    stack.stop().await?;
    measured?.print(as_json);
    Ok(Exit::Succeeded)
}

/// The result of one request.
struct Seen {
    status: u16,
    took_ms: f64,
}

async fn measure(stack: &BenchStack) -> Result<Report, Error> {
    let token = |role: &str| stack.dev.tokens.get(role).cloned().unwrap_or_default();
    let url = format!("{}/api/runs", stack.dev.api_url);
    let pid = i64::from(stack.dev.pids.api);
    // Alone, by a caller with a limit of its own.
    let client = nofx_shared::net::client();
    let mut alone = vec![];
    for _ in 0..300 {
        alone.push(ask(&client, &url, &token("supervisor")).await?.took_ms);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let rss_before = memory::resident(pid);
    let seen = Arc::new(Mutex::new(vec![]));
    let pause = Duration::from_secs_f64(60.0 * f64::from(CONNECTIONS) / f64::from(LIMIT * TIMES));
    // Connections of their own, made and used once before the clock runs: making a client reads all root certificates.
    let mut clients = vec![];
    for _ in 0..CONNECTIONS {
        let client = nofx_shared::net::client();
        ask(&client, &format!("{}/api/health", stack.dev.api_url), "").await?;
        clients.push(client);
    }
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let callers: Vec<_> = (0..CONNECTIONS)
        .zip(clients)
        .map(|(n, client)| {
            let (url, token, seen) = (url.clone(), token("viewer"), Arc::clone(&seen));
            tokio::spawn(async move {
                tokio::time::sleep(pause * n / CONNECTIONS).await;
                while Instant::now() < until {
                    let began = Instant::now();
                    let one = ask(&client, &url, &token).await;
                    seen.lock().expect("nobody panics while holding it").push(one);
                    tokio::time::sleep(pause.saturating_sub(began.elapsed())).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.map_err(Error::new)?;
    }
    let seen = std::mem::take(&mut *seen.lock().expect("nobody panics while holding it"));
    let all = seen.len();
    let of = |status: u16| seen.iter().flatten().filter(|one| one.status == status).map(|one| one.took_ms).collect::<Vec<f64>>();
    let (mut allowed, mut refused) = (of(200), of(429));
    let mut report = Report::default();
    report.put_value("requests", json!(all));
    report.put_value("allowed", json!(allowed.len()));
    report.put_value("refused", json!(refused.len()));
    report.put_value("other", json!(all - allowed.len() - refused.len()));
    report.put_percentiles("alone_ms", &mut alone);
    report.put_percentiles("allowed_ms", &mut allowed);
    report.put("allowed_to_alone_p99", percentile(&mut allowed, 0.99) / percentile(&mut alone, 0.99));
    report.put_percentiles("refused_ms", &mut refused);
    report.put_value("api_rss_mb", json!({"before": rss_before, "after": memory::resident(pid)}));
    Ok(report)
}

async fn ask(client: &reqwest::Client, url: &str, token: &str) -> Result<Seen, Error> {
    let began = Instant::now();
    let response = client.get(url).bearer_auth(token).send().await.map_err(Error::new)?;
    let status = response.status().as_u16();
    response.bytes().await.map_err(Error::new)?;
    Ok(Seen { status, took_ms: began.elapsed().as_secs_f64() * 1000.0 })
}
