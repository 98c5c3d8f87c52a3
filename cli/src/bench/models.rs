//! `nofx bench models`: the overhead of a model call: routing is ours alone, recording the database's two calls.
//!
//! The provider is a stand-in in this process that responds at once. The worker measures each call without the provider's share.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::histogram::{buckets, quantile};
use super::report::Report;
use super::stack::BenchStack;
use crate::api::Api;
use crate::exit::{Error, Exit, Outcome};

/// Model calls that are measured, one after the other.
const CALLS: usize = 300;

pub(crate) async fn run(as_json: bool) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::new)?;
    let url = format!("http://{}", listener.local_addr().map_err(Error::new)?);
    tokio::spawn(answer_all(listener));
    let settings = [("COMPATIBLE_BASE_URL", url.as_str()), ("NOFX_SECRET_COMPATIBLE_API_KEY", "none")];
    let stack = BenchStack::start_with(&settings).await?;
    let measured = measure(&stack).await;
    stack.stop().await?;
    measured?.print(as_json);
    Ok(Exit::Succeeded)
}

async fn measure(stack: &BenchStack) -> Result<Report, Error> {
    let token = stack.dev.tokens.get("admin").cloned().unwrap_or_default();
    let api = Api::new(stack.dev.api_url.clone(), token);
    let items: Vec<usize> = (0..CALLS).collect();
    let ask = json!({"prompt": "question ${{ index }}", "path": "a.txt", "order": ["compatible"], "max_tokens": 16});
    let plan = json!({"goal": "bench", "max_parallel": 1, "steps": [
        {"name": "list", "tool": "noop", "needs": [], "inputs": {"items": items}},
        {"name": "ask", "tool": "codegen", "needs": ["list"], "for_each": format!("{}", json!(items)), "inputs": ask}]});
    let run = api.post("/api/runs", &json!({"plan": plan})).await?;
    let path = format!("/api/runs/{}", run["id"].as_str().unwrap_or_default());
    loop {
        let run = api.get(&path).await?;
        match run["status"].as_str() {
            Some("succeeded") => break,
            Some("failed" | "cancelled") => return Err(Error::new(format!("the benchmark's run did not succeed: {}", run["error"]))),
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
    let text = stack.metrics().await?;
    let mut report = Report::default();
    report.put_value("questions", json!(CALLS));
    for (name, metric) in [("routing", "nofx_model_routing_seconds"), ("record", "nofx_model_record_seconds")] {
        let buckets = buckets(&text, metric);
        report.put(&format!("{name}_ms_p50"), quantile(&buckets, 0.5) * 1000.0);
        report.put(&format!("{name}_ms_p99"), quantile(&buckets, 0.99) * 1000.0);
    }
    Ok(report)
}

/// The smallest server that speaks chat completions.
async fn answer_all(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream));
    }
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let chunk = |choices: Value, usage: Value| {
        let event = json!({"id": "1", "object": "chat.completion.chunk", "model": "default", "choices": choices, "usage": usage});
        format!("data: {event}\n\n")
    };
    let body = [
        chunk(json!([{"index": 0, "delta": {"content": "answer"}, "finish_reason": null}]), Value::Null),
        chunk(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]), Value::Null),
        chunk(json!([]), json!({"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11})),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut buffer = Vec::with_capacity(16 << 10);
    loop {
        // One request: its head, and as many bytes as the head says.
        let whole = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok()).unwrap_or(0);
                if buffer.len() >= end + 4 + length {
                    break end + 4 + length;
                }
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        buffer.drain(..whole);
        stream.write_all(answer.as_bytes()).await?;
    }
}
