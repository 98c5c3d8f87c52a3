//! Providers of models: the wire formats of OpenAI (chat completions), Anthropic (messages) and Gemini (generateContent), with faults.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A fault of a provider.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// 429, to retry after so many milliseconds.
    Busy(u64),
    /// 500
    Fails,
    /// 401
    UnknownKey,
    /// Answers after so long.
    Slow(Duration),
    /// Ends in the middle of the stream, or of the JSON.
    Cut,
    /// A response that is not of the requested form.
    Malformed,
    /// Declines for reasons of safety.
    Declines,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    pub provider: &'static str,
    pub model: String,
    pub body: Value,
    pub at: Instant,
}

#[derive(Clone)]
pub struct Providers {
    pub url: String,
    state: Arc<Mutex<FakeState>>,
}

#[derive(Default)]
struct FakeState {
    faults: BTreeMap<&'static str, VecDeque<Fault>>,
    answers: VecDeque<String>,
    requests: Vec<ModelRequest>,
}

impl Providers {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let providers = Self { url, state: Arc::default() };
        let router = Router::new()
            .route("/openai/chat/completions", post(openai))
            .route("/anthropic/messages", post(anthropic))
            .route("/gemini/models/{call}", post(gemini))
            .with_state(providers.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        providers
    }

    /// The settings of a worker that calls this stand-in.
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut settings: Vec<_> = ["openai", "anthropic", "gemini"]
            .into_iter()
            .flat_map(|name| {
                let upper = name.to_uppercase();
                [
                    (format!("{upper}_BASE_URL"), format!("{}/{name}", self.url)),
                    (format!("NOFX_SECRET_{upper}_API_KEY"), format!("key-of-{name}")),
                ]
            })
            .collect();
        settings.push(("COMPATIBLE_BASE_URL".to_owned(), format!("{}/openai", self.url)));
        settings.push(("NOFX_SECRET_COMPATIBLE_API_KEY".to_owned(), "key-of-openai".to_owned()));
        settings
    }

    /// The faults of the provider's next responses.
    pub fn will(&self, provider: &'static str, faults: &[Fault]) {
        self.state.lock().expect("not poisoned").faults.entry(provider).or_default().extend(faults);
    }

    /// The next response; without one the prompt is repeated.
    pub fn answers(&self, text: impl Into<String>) {
        self.state.lock().expect("not poisoned").answers.push_back(text.into());
    }

    pub fn requests(&self) -> Vec<ModelRequest> {
        self.state.lock().expect("not poisoned").requests.clone()
    }

    /// Records the request; returns the fault or the response that is next.
    fn next(&self, provider: &'static str, model: &str, body: &Value, question: String) -> Result<String, Fault> {
        let mut kept = self.state.lock().expect("not poisoned");
        kept.requests.push(ModelRequest { provider, model: model.to_owned(), body: body.clone(), at: Instant::now() });
        match kept.faults.get_mut(provider).and_then(VecDeque::pop_front) {
            Some(fault) => Err(fault),
            None => Ok(kept.answers.pop_front().unwrap_or(question)),
        }
    }
}

fn bad(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, axum::Json(json!({"error": {"message": why, "type": "invalid_request_error"}}))).into_response()
}

/// The faults that look the same everywhere; nothing when the provider has to show its own.
async fn common(fault: Fault) -> Option<Response> {
    let error = |status: StatusCode, why: &str| {
        (status, axum::Json(json!({"error": {"message": why, "type": "x", "code": status.as_u16()}}))).into_response()
    };
    match fault {
        Fault::Busy(ms) => {
            let mut response = error(StatusCode::TOO_MANY_REQUESTS, "slow down");
            response.headers_mut().insert("retry-after-ms", ms.to_string().parse().expect("a header"));
            Some(response)
        }
        Fault::Fails => Some(error(StatusCode::INTERNAL_SERVER_ERROR, "it broke")),
        Fault::UnknownKey => Some(error(StatusCode::UNAUTHORIZED, "who are you?")),
        Fault::Malformed => Some(axum::Json(json!({"hello": "there"})).into_response()),
        Fault::Slow(time) => {
            tokio::time::sleep(time).await;
            None
        }
        Fault::Cut | Fault::Declines => None,
    }
}

/// Server-sent events; cut, the last of them are missing.
fn stream(events: Vec<String>, cut: bool) -> Response {
    let kept = if cut { events.len() / 2 } else { events.len() };
    let body: String = events.into_iter().take(kept).collect();
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from(body)).into_response()
}

/// The pieces in which an answer comes.
fn pieces(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(7).map(|piece| piece.iter().collect()).collect()
}

async fn openai(State(providers): State<Providers>, headers: HeaderMap, axum::Json(body): axum::Json<Value>) -> Response {
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != "Bearer key-of-openai") {
        return common(Fault::UnknownKey).await.expect("a refusal");
    }
    let (Some(model), Some(messages)) = (body["model"].as_str(), body["messages"].as_array()) else {
        return bad("model and messages are required");
    };
    let question = messages.last().and_then(|last| last["content"].as_str()).unwrap_or_default().to_owned();
    let next = providers.next("openai", model, &body, question);
    let (answer, cut, declines) = match next {
        Ok(answer) => (answer, false, false),
        Err(fault) => match common(fault).await {
            Some(response) => return response,
            None => ("a late answer".to_owned(), matches!(fault, Fault::Cut), matches!(fault, Fault::Declines)),
        },
    };
    let finish = if declines { "content_filter" } else { "stop" };
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 5}});
    if body["stream"] != true {
        let whole = json!({"id": "chatcmpl-1", "object": "chat.completion", "model": model, "usage": usage,
            "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": answer}}]});
        let text = whole.to_string();
        return ([(header::CONTENT_TYPE, "application/json")], if cut { text[..text.len() / 2].to_owned() } else { text }).into_response();
    }
    let chunk = |delta: Value, finish: Value| json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": model, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
    let mut events: Vec<String> =
        pieces(&answer).into_iter().map(|piece| format!("data: {}\n\n", chunk(json!({"content": piece}), Value::Null))).collect();
    events.push(format!("data: {}\n\n", chunk(json!({}), json!(finish))));
    events.push(format!(
        "data: {}\n\n",
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": model, "choices": [], "usage": usage})
    ));
    events.push("data: [DONE]\n\n".to_owned());
    stream(events, cut)
}

async fn anthropic(State(providers): State<Providers>, headers: HeaderMap, axum::Json(body): axum::Json<Value>) -> Response {
    if headers.get("x-api-key").is_none_or(|value| value != "key-of-anthropic") || !headers.contains_key("anthropic-version") {
        return common(Fault::UnknownKey).await.expect("a refusal");
    }
    let (Some(model), Some(messages), Some(_)) = (body["model"].as_str(), body["messages"].as_array(), body["max_tokens"].as_u64()) else {
        return bad("model, messages and max_tokens are required");
    };
    let content = &messages.last().unwrap_or(&Value::Null)["content"];
    let question = content.as_str().or_else(|| content[0]["text"].as_str()).unwrap_or_default().to_owned();
    let next = providers.next("anthropic", model, &body, question);
    let (answer, cut, declines) = match next {
        Ok(answer) => (answer, false, false),
        Err(fault) => match common(fault).await {
            Some(response) => return response,
            None => ("a late answer".to_owned(), matches!(fault, Fault::Cut), matches!(fault, Fault::Declines)),
        },
    };
    let stop = if declines { "refusal" } else { "end_turn" };
    if body["stream"] != true {
        return axum::Json(json!({"id": "msg_1", "type": "message", "role": "assistant", "model": model, "stop_reason": stop,
            "content": [{"type": "text", "text": answer}],
            "usage": {"input_tokens": 60, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 0, "output_tokens": 20}}))
        .into_response();
    }
    let event = |kind: &str, mut data: Value| {
        data["type"] = json!(kind);
        format!("event: {kind}\ndata: {data}\n\n")
    };
    let started = json!({"message": {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [],
        "usage": {"input_tokens": 60, "cache_read_input_tokens": 40, "output_tokens": 1}}});
    let mut events = vec![
        event("message_start", started),
        event("content_block_start", json!({"index": 0, "content_block": {"type": "text", "text": ""}})),
    ];
    events.extend(
        pieces(&answer)
            .into_iter()
            .map(|piece| event("content_block_delta", json!({"index": 0, "delta": {"type": "text_delta", "text": piece}}))),
    );
    events.push(event("content_block_stop", json!({"index": 0})));
    events.push(event("message_delta", json!({"delta": {"stop_reason": stop}, "usage": {"output_tokens": 20}})));
    events.push(event("message_stop", json!({})));
    stream(events, cut)
}

async fn gemini(
    State(providers): State<Providers>,
    Path(call): Path<String>,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    if headers.get("x-goog-api-key").is_none_or(|value| value != "key-of-gemini") {
        return common(Fault::UnknownKey).await.expect("a refusal");
    }
    let (Some((model, verb)), Some(contents)) = (call.split_once(':'), body["contents"].as_array()) else {
        return bad("contents are required");
    };
    let question = contents.last().and_then(|last| last["parts"][0]["text"].as_str()).unwrap_or_default().to_owned();
    let next = providers.next("gemini", model, &body, question);
    let (answer, cut, declines) = match next {
        Ok(answer) => (answer, false, false),
        Err(fault) => match common(fault).await {
            Some(response) => return response,
            None => ("a late answer".to_owned(), matches!(fault, Fault::Cut), matches!(fault, Fault::Declines)),
        },
    };
    let part = |text: &str, finish: Value| {
        json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": finish, "index": 0}], "modelVersion": model,
            "usageMetadata": {"promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 15, "thoughtsTokenCount": 5, "totalTokenCount": 120}})
    };
    let finish = json!(if declines { "SAFETY" } else { "STOP" });
    if verb != "streamGenerateContent" {
        return axum::Json(part(&answer, finish)).into_response();
    }
    let all = pieces(&answer);
    let last = all.len().saturating_sub(1);
    let events = all
        .iter()
        .enumerate()
        .map(|(at, piece)| format!("data: {}\n\n", part(piece, if at == last { finish.clone() } else { Value::Null })));
    stream(events.collect(), cut)
}
