//! What runs in each sandbox: its files and its processes.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::fault::error;
use super::sandbox::Sandbox;
use super::{Call, E2b, Fault};

type Sender = mpsc::Sender<std::io::Result<Vec<u8>>>;

fn path_of(query: &BTreeMap<String, String>) -> Option<&str> {
    query.get("path").map(String::as_str).filter(|path| path.starts_with("/tmp/") && !path.contains(".."))
}

pub(super) async fn upload(
    State(e2b): State<E2b>,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
    body: Body,
) -> Response {
    if let Some(fault) = e2b.next(Call::Upload)
        && let Some(refusal) = fault.refusal().await
    {
        return refusal;
    }
    let sandbox = match e2b.sandbox(&headers) {
        Ok(sandbox) => sandbox,
        Err(refusal) => return *refusal,
    };
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return error(400, "the body was cut") };
    let boundary =
        headers.get("content-type").and_then(|value| value.to_str().ok()?.split_once("boundary=")).map(|(_, text)| text.to_owned());
    let (Some(boundary), Some(path)) = (boundary, path_of(&query)) else { return error(400, "path and multipart/form-data are required") };
    let Some(content) = part(&body, &boundary) else { return error(400, "no part is named file") };
    let to = sandbox.machine.path(path);
    std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    std::fs::write(to, content).expect("written");
    Json(json!([{"path": path, "name": "file", "type": "file"}])).into_response()
}

/// The content of the one part of a form.
fn part<'a>(body: &'a [u8], boundary: &str) -> Option<&'a [u8]> {
    let find = |text: &[u8]| body.windows(text.len()).position(|window| window == text);
    let head = body.strip_prefix(format!("--{boundary}\r\n").as_bytes())?;
    let is_file = head.starts_with(b"Content-Disposition: form-data; name=\"file\"");
    let begin = find(b"\r\n\r\n").filter(|_| is_file)? + 4;
    body[begin..].strip_suffix(format!("\r\n--{boundary}--\r\n").as_bytes())
}

pub(super) async fn download(State(e2b): State<E2b>, headers: HeaderMap, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let fault = e2b.next(Call::Download);
    if let Some(fault) = fault
        && let Some(refusal) = fault.refusal().await
    {
        return refusal;
    }
    let sandbox = match e2b.sandbox(&headers) {
        Ok(sandbox) => sandbox,
        Err(refusal) => return *refusal,
    };
    let Some(path) = path_of(&query) else { return error(400, "path is required") };
    let Ok(bytes) = std::fs::read(sandbox.machine.path(path)) else { return error(404, &format!("path '{path}' does not exist")) };
    if matches!(fault, Some(Fault::Cut)) {
        let half = vec![Ok(bytes[..bytes.len() / 2].to_vec()), Err(std::io::Error::other("cut"))];
        return Body::from_stream(futures::stream::iter(half)).into_response();
    }
    bytes.into_response()
}

fn frame(flag: u8, json: &Value) -> Vec<u8> {
    let text = json.to_string();
    let length = u32::try_from(text.len()).expect("small").to_be_bytes();
    [&[flag], length.as_slice(), text.as_bytes()].concat()
}

pub(super) async fn start(State(e2b): State<E2b>, headers: HeaderMap, body: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(body.get(5..).unwrap_or_default()).unwrap_or_default();
    let process = &asked["process"];
    // What brings files and fetches them has no environment.
    let fault = if process["envs"]["NOFX_OUTPUT"].is_string() { e2b.next(Call::Program) } else { None };
    if let Some(fault) = fault
        && let Some(refusal) = fault.refusal().await
    {
        return refusal;
    }
    let sandbox = match e2b.sandbox(&headers) {
        Ok(sandbox) => sandbox,
        Err(refusal) => return *refusal,
    };
    if headers.get("content-type").is_none_or(|kind| kind != "application/connect+json") || asked["stdin"] != false {
        return error(415, "application/connect+json with stdin: false is what this stand-in has");
    }
    let argv: Vec<String> = [&process["cmd"]].into_iter().chain(process["args"].as_array().into_iter().flatten()).map(text).collect();
    let env = process["envs"].as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect();
    let (sender, receiver) = mpsc::channel(64);
    let dir = process["cwd"].as_str().unwrap_or("/home/user").to_owned();
    tokio::spawn(async move { run(&e2b, &sandbox, argv, env, &dir, fault, sender).await });
    ([("content-type", "application/connect+json")], Body::from_stream(ReceiverStream::new(receiver))).into_response()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

async fn run(
    e2b: &E2b,
    sandbox: &Arc<Sandbox>,
    argv: Vec<String>,
    env: BTreeMap<String, String>,
    dir: &str,
    fault: Option<Fault>,
    sender: Sender,
) {
    let mut child = sandbox.machine.command(&argv, &env, dir).spawn().expect("nsenter starts");
    let event = |event: Value| frame(0, &json!({"event": event}));
    drop(sender.send(Ok(event(json!({"start": {"pid": child.id()}})))).await);
    let (stdout, stderr) = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
    let reading = async { tokio::join!(stream(stdout, "stdout", &sender), stream(stderr, "stderr", &sender)) };
    tokio::pin!(reading);
    if matches!(fault, Some(Fault::Cut | Fault::Unfinished | Fault::Dies)) {
        // Some of the output comes before.
        drop(tokio::time::timeout(Duration::from_millis(300), &mut reading).await);
        if matches!(fault, Some(Fault::Dies)) {
            e2b.kill(&sandbox.id);
        }
        if !matches!(fault, Some(Fault::Unfinished)) {
            drop(sender.send(Err(std::io::Error::other("cut"))).await);
        }
        return;
    }
    let status = tokio::select! {
        // All of the output comes before the end.
        biased;
        _ = &mut reading => child.wait().await,
        status = child.wait() => {
            // As envd does: what its descendants print later is not waited for.
            drop(tokio::time::timeout(Duration::from_millis(50), &mut reading).await);
            status
        }
    };
    let status = status.expect("a status");
    // What is zero or false is left out.
    let mut end = json!({"status": status.to_string()});
    match (status.code(), status.signal()) {
        (Some(0), _) => end["exited"] = json!(true),
        (Some(code), _) => {
            end["exited"] = json!(true);
            end["exitCode"] = json!(code);
            end["error"] = json!(format!("exit status {code}"));
        }
        (None, signal) => {
            end["exitCode"] = json!(-1);
            end["error"] = json!(format!("signal: {}", signal.unwrap_or_default()));
        }
    }
    drop(sender.send(Ok(event(json!({"end": end})))).await);
    drop(sender.send(Ok(frame(2, &json!({})))).await);
}

async fn stream(mut pipe: impl AsyncRead + Unpin, name: &str, sender: &Sender) {
    let mut chunk = vec![0; 32 << 10];
    while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
        let data = json!({"event": {"data": {name: STANDARD.encode(&chunk[..read])}}});
        drop(sender.send(Ok(frame(0, &data))).await);
    }
}
