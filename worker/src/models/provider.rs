//! Who answers: the list of providers, and one question to one of them. Never tries twice: `route` decides that.

use std::time::Duration;

use futures::StreamExt;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatResponseFormat, ChatStreamEvent, JsonSpec, StopReason};
use genai::resolver::{AuthData, Endpoint};
use genai::{ModelIden, ServiceTarget};
use reqwest::header::HeaderMap;

use super::Question;

/// A provider, as it is asked when nobody says otherwise.
pub(super) struct Provider {
    pub name: &'static str,
    adapter: AdapterKind,
    /// None: only where the operator says.
    pub base_url: Option<&'static str>,
    /// The secret with its key.
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

/// Tokens, counted the same whoever answered: input holds what was cached, output what was thought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub input_tokens: u64,
    pub cached_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
}

pub(super) struct Said {
    pub text: String,
    pub usage: Usage,
}

/// Why there is no answer, by what helps.
#[derive(Debug)]
pub(super) enum ProviderError {
    /// Too much was asked of it: another one may answer, this one later.
    Busy { wait: Option<Duration>, what: String },
    /// It failed, was silent too long, or what came cannot be read.
    Broken(String),
    /// It failed after it had begun to answer.
    Cut(String),
    /// It does not want to answer this.
    Declined(String),
    /// Nobody will answer this as it is.
    Wrong(String),
}

impl ProviderError {
    pub(super) fn what(&self) -> &str {
        match self {
            Self::Busy { what, .. } | Self::Broken(what) | Self::Cut(what) | Self::Declined(what) | Self::Wrong(what) => what,
        }
    }

    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::Broken(_) => "broken",
            Self::Cut(_) => "cut",
            Self::Declined(_) => "declined",
            Self::Wrong(_) => "wrong",
        }
    }
}

pub(super) async fn ask(
    client: &genai::Client,
    provider: &Provider,
    base_url: &str,
    key: &str,
    model: &str,
    question: &Question,
) -> Result<Said, ProviderError> {
    let target = ServiceTarget {
        endpoint: Endpoint::from_owned(format!("{}/", base_url.trim_end_matches('/'))),
        auth: AuthData::from_single(key),
        model: ModelIden::new(provider.adapter, model.to_owned()),
    };
    let mut request = ChatRequest::new(vec![ChatMessage::user(&question.prompt)]);
    if let Some(system) = &question.system {
        request = request.with_system(system);
    }
    let mut options = ChatOptions::default().with_max_tokens(question.max_tokens).with_capture_usage(true).with_capture_content(true);
    if let Some(schema) = &question.schema {
        options = options.with_response_format(ChatResponseFormat::JsonSpec(JsonSpec::new("answer", schema.clone())));
    }
    let said = async {
        // With a schema there is nothing to see before the end; text comes piece by piece, so that silence is told from length.
        if question.schema.is_some() {
            whole(client, target, request, &options).await
        } else {
            piece_by_piece(client, target, request, &options).await
        }
    };
    let silent = || ProviderError::Broken(format!("no response within {} s", question.timeout.as_secs()));
    let said = tokio::time::timeout(question.timeout, said).await.map_err(|_| silent())??;
    if said.text.trim().is_empty() { Err(ProviderError::Broken("the response is empty".to_owned())) } else { Ok(said) }
}

async fn whole(client: &genai::Client, target: ServiceTarget, request: ChatRequest, options: &ChatOptions) -> Result<Said, ProviderError> {
    let response = client.exec_chat(target, request, Some(options)).await.map_err(|error| trouble(&error))?;
    stopped(response.stop_reason.as_ref())?;
    Ok(Said { usage: usage(&response.usage), text: response.into_first_text().unwrap_or_default() })
}

async fn piece_by_piece(
    client: &genai::Client,
    target: ServiceTarget,
    request: ChatRequest,
    options: &ChatOptions,
) -> Result<Said, ProviderError> {
    let mut stream = client.exec_chat_stream(target, request, Some(options)).await.map_err(|error| trouble(&error))?.stream;
    let mut text = String::new();
    while let Some(event) = stream.next().await {
        let event = event.map_err(|error| if text.is_empty() { trouble(&error) } else { ProviderError::Cut(shorten(&error.to_string())) })?;
        match event {
            ChatStreamEvent::Chunk(chunk) => text.push_str(&chunk.content),
            ChatStreamEvent::End(end) => {
                stopped(end.captured_stop_reason.as_ref())?;
                let Some(used) = end.captured_usage.filter(|used| used.completion_tokens.is_some()) else {
                    return Err(endless(&text));
                };
                return Ok(Said { text, usage: usage(&used) });
            }
            _ => {}
        }
    }
    Err(endless(&text))
}

fn endless(text: &str) -> ProviderError {
    let what = "the response ended early".to_owned();
    if text.is_empty() { ProviderError::Broken(what) } else { ProviderError::Cut(what) }
}

fn stopped(reason: Option<&StopReason>) -> Result<(), ProviderError> {
    match reason {
        Some(StopReason::ContentFilter(why)) => Err(ProviderError::Declined(format!("the model declined to answer ({why})"))),
        Some(StopReason::MaxTokens(_)) => Err(ProviderError::Wrong("the response is longer than `max_tokens` allows".to_owned())),
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

fn trouble(error: &genai::Error) -> ProviderError {
    // A stream wraps what the provider said.
    if let genai::Error::WebStream { error: inside, .. } = error
        && let Some(inside) = inside.downcast_ref::<genai::Error>()
    {
        return trouble(inside);
    }
    let Some(status) = error.status().map(|status| status.as_u16()) else {
        let what = if let genai::Error::WebStream { cause, .. } = error { cause.clone() } else { error.to_string() };
        return ProviderError::Broken(shorten(&what));
    };
    let what = format!("HTTP {status}: {}", shorten(&body_of(error)));
    match status {
        // 529: Anthropic is overloaded.
        429 | 529 | 503 => {
            let wait = headers_of(error).and_then(wait_of).or_else(|| told_in_body(&body_of(error)));
            ProviderError::Busy { wait, what }
        }
        408 | 409 | 500.. => ProviderError::Broken(what),
        _ => ProviderError::Wrong(what),
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

/// Gemini tells it in the body: `"retryDelay": "12s"` (google.rpc.RetryInfo).
fn told_in_body(body: &str) -> Option<Duration> {
    let rest = body.split("\"retryDelay\"").nth(1)?;
    let text = rest.split('"').nth(1)?.strip_suffix('s')?;
    Some(Duration::from_millis((text.parse::<f64>().ok()?.clamp(0.0, 3600.0) * 1000.0) as u64))
}

/// Providers repeat the request in their errors; the first line says what it is about.
fn shorten(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}
