//! The list of providers, and a call of one of them. It never retries: the caller does.

use std::time::Duration;

use futures::StreamExt;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatResponseFormat, ChatStreamEvent, JsonSpec, StopReason};
use genai::resolver::{AuthData, Endpoint};
use genai::{ModelIden, ServiceTarget};
use reqwest::header::HeaderMap;

use super::ModelRequest;

/// A provider with its defaults.
pub(super) struct Provider {
    pub name: &'static str,
    adapter: AdapterKind,
    /// None: the operator must set it.
    pub base_url: Option<&'static str>,
    /// The name of the secret with its key.
    pub secret: &'static str,
    pub model: &'static str,
}

/// The one list of providers.
pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        name: "openai",
        adapter: AdapterKind::OpenAI,
        base_url: Some("https://api.openai.com/v1"),
        secret: "OPENAI_API_KEY",
        model: "gpt-5",
    },
    Provider {
        name: "anthropic",
        adapter: AdapterKind::Anthropic,
        base_url: Some("https://api.anthropic.com/v1"),
        secret: "ANTHROPIC_API_KEY",
        model: "claude-sonnet-4-6",
    },
    Provider {
        name: "gemini",
        adapter: AdapterKind::Gemini,
        base_url: Some("https://generativelanguage.googleapis.com/v1beta"),
        secret: "GEMINI_API_KEY",
        model: "gemini-2.5-pro",
    },
    Provider { name: "compatible", adapter: AdapterKind::OpenAI, base_url: None, secret: "COMPATIBLE_API_KEY", model: "default" },
];

/// Tokens, counted the same way for all providers: input includes cached tokens, output includes reasoning tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub input_tokens: u64,
    pub cached_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
}

pub(super) struct Completion {
    pub text: String,
    pub usage: Usage,
}

/// Why a call failed: the class decides what happens next.
#[derive(Debug)]
pub(super) enum ProviderError {
    /// A rate limit or an overload: another candidate may respond now, this one after the wait.
    RateLimited { wait: Option<Duration>, message: String },
    /// An error of the provider, a timeout, or a response that cannot be read.
    Unavailable(String),
    /// The response broke off after it had started.
    Truncated(String),
    /// The provider's content filter declined; another provider may respond.
    ContentFiltered(String),
    /// No provider will accept this request.
    InvalidRequest(String),
}

impl ProviderError {
    pub(super) fn message(&self) -> &str {
        match self {
            Self::RateLimited { message, .. }
            | Self::Unavailable(message)
            | Self::Truncated(message)
            | Self::ContentFiltered(message)
            | Self::InvalidRequest(message) => message,
        }
    }

    /// Stored in the fallbacks of a model call; the database matches some of them.
    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable(_) => "unavailable",
            Self::Truncated(_) => "truncated",
            Self::ContentFiltered(_) => "content_filtered",
            Self::InvalidRequest(_) => "invalid_request",
        }
    }
}

pub(super) async fn call(
    client: &genai::Client,
    provider: &Provider,
    base_url: &str,
    key: &str,
    model: &str,
    request: &ModelRequest,
) -> Result<Completion, ProviderError> {
    let target = ServiceTarget {
        endpoint: Endpoint::from_owned(format!("{}/", base_url.trim_end_matches('/'))),
        auth: AuthData::from_single(key),
        model: ModelIden::new(provider.adapter, model.to_owned()),
    };
    let mut chat = ChatRequest::new(vec![ChatMessage::user(&request.prompt)]);
    if let Some(system) = &request.system {
        chat = chat.with_system(system);
    }
    let mut options = ChatOptions::default().with_max_tokens(request.max_tokens).with_capture_usage(true).with_capture_content(true);
    if let Some(schema) = &request.schema {
        options = options.with_response_format(ChatResponseFormat::JsonSpec(JsonSpec::new("answer", schema.clone())));
    }
    let completion = async {
        // Text is streamed, so that a response that breaks off is noticed. JSON is of no use before its end.
        if request.schema.is_some() { complete(client, target, chat, &options).await } else { stream(client, target, chat, &options).await }
    };
    let timed_out = || ProviderError::Unavailable(format!("no response within {} s", request.timeout.as_secs()));
    let completion = tokio::time::timeout(request.timeout, completion).await.map_err(|_| timed_out())??;
    if completion.text.trim().is_empty() {
        return Err(ProviderError::Unavailable("the response is empty".to_owned()));
    }
    Ok(completion)
}

async fn complete(
    client: &genai::Client,
    target: ServiceTarget,
    chat: ChatRequest,
    options: &ChatOptions,
) -> Result<Completion, ProviderError> {
    let response = client.exec_chat(target, chat, Some(options)).await.map_err(|error| classify(&error))?;
    check_stop_reason(response.stop_reason.as_ref())?;
    Ok(Completion { usage: usage(&response.usage), text: response.into_first_text().unwrap_or_default() })
}

async fn stream(
    client: &genai::Client,
    target: ServiceTarget,
    chat: ChatRequest,
    options: &ChatOptions,
) -> Result<Completion, ProviderError> {
    let mut stream = client.exec_chat_stream(target, chat, Some(options)).await.map_err(|error| classify(&error))?.stream;
    let mut text = String::new();
    while let Some(event) = stream.next().await {
        let event = event
            .map_err(|error| if text.is_empty() { classify(&error) } else { ProviderError::Truncated(shorten(&error.to_string())) })?;
        match event {
            ChatStreamEvent::Chunk(chunk) => text.push_str(&chunk.content),
            ChatStreamEvent::End(end) => {
                check_stop_reason(end.captured_stop_reason.as_ref())?;
                let Some(used) = end.captured_usage.filter(|used| used.completion_tokens.is_some()) else {
                    return Err(ended_early(&text));
                };
                return Ok(Completion { text, usage: usage(&used) });
            }
            _ => {}
        }
    }
    Err(ended_early(&text))
}

fn ended_early(text: &str) -> ProviderError {
    let message = "the response ended early".to_owned();
    if text.is_empty() { ProviderError::Unavailable(message) } else { ProviderError::Truncated(message) }
}

fn check_stop_reason(reason: Option<&StopReason>) -> Result<(), ProviderError> {
    match reason {
        Some(StopReason::ContentFilter(why)) => Err(ProviderError::ContentFiltered(format!("the model declined to answer ({why})"))),
        Some(StopReason::MaxTokens(_)) => Err(ProviderError::InvalidRequest("the response is longer than `max_tokens` allows".to_owned())),
        _ => Ok(()),
    }
}

fn usage(used: &genai::chat::Usage) -> Usage {
    let count = |number: Option<i32>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
    Usage {
        input_tokens: count(used.prompt_tokens),
        cached_tokens: count(used.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens)),
        output_tokens: count(used.completion_tokens),
        reasoning_tokens: count(used.completion_tokens_details.as_ref().and_then(|details| details.reasoning_tokens)),
    }
}

fn classify(error: &genai::Error) -> ProviderError {
    // A stream wraps the provider's error.
    if let genai::Error::WebStream { error: inside, .. } = error
        && let Some(inside) = inside.downcast_ref::<genai::Error>()
    {
        return classify(inside);
    }
    let Some(status) = error.status().map(|status| status.as_u16()) else {
        let message = if let genai::Error::WebStream { cause, .. } = error { cause.clone() } else { error.to_string() };
        return ProviderError::Unavailable(shorten(&message));
    };
    let message = format!("HTTP {status}: {}", shorten(&body_of(error)));
    match status {
        // 529: Anthropic is overloaded.
        429 | 529 | 503 => {
            let wait = headers_of(error).and_then(wait_of).or_else(|| wait_in_body(&body_of(error)));
            ProviderError::RateLimited { wait, message }
        }
        408 | 409 | 500.. => ProviderError::Unavailable(message),
        _ => ProviderError::InvalidRequest(message),
    }
}

fn headers_of(error: &genai::Error) -> Option<&HeaderMap> {
    match error {
        genai::Error::HttpError { headers, .. } => Some(headers),
        genai::Error::WebModelCall { webc_error, .. } | genai::Error::WebAdapterCall { webc_error, .. } => webc_error.headers(),
        _ => None,
    }
}

fn body_of(error: &genai::Error) -> String {
    match error {
        genai::Error::HttpError { body, .. } => body.clone(),
        genai::Error::WebModelCall { webc_error: genai::webc::Error::ResponseFailedStatus { body, .. }, .. } => body.clone(),
        other => other.to_string(),
    }
}

/// `retry-after-ms`, or `retry-after` as seconds or as a date.
fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(ms) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return Some(Duration::from_millis(ms.clamp(0.0, 3.6e6) as u64));
    }
    let after = text("retry-after")?;
    if let Ok(seconds) = after.parse::<f64>() {
        return Some(Duration::from_millis((seconds.clamp(0.0, 3600.0) * 1000.0) as u64));
    }
    let at = chrono::DateTime::parse_from_rfc2822(after).ok()?;
    (at.to_utc() - chrono::Utc::now()).to_std().ok()
}

/// Gemini's wait is in the body: `"retryDelay": "12s"` (google.rpc.RetryInfo).
fn wait_in_body(body: &str) -> Option<Duration> {
    let rest = body.split("\"retryDelay\"").nth(1)?;
    let text = rest.split('"').nth(1)?.strip_suffix('s')?;
    Some(Duration::from_millis((text.parse::<f64>().ok()?.clamp(0.0, 3600.0) * 1000.0) as u64))
}

/// Shortens an error: providers repeat the request in it.
fn shorten(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}
