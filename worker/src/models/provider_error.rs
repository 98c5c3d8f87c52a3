//! Why a provider did not respond: the classes that decide what happens next, and how long to wait.

use std::time::Duration;

use nofx_shared::net::retry_after;
use reqwest::header::HeaderMap;

/// Why a call failed: the class decides what happens next.
#[derive(Debug)]
pub(super) enum ProviderError {
    /// A rate limit or an overload: another candidate may respond now, this one after the wait.
    RateLimited { wait: Option<Duration>, message: String },
    /// An error of the provider, a timeout, or a response that cannot be read.
    Unavailable(String),
    /// The response ended early, after it had started.
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

pub(super) fn classify(error: &genai::Error) -> ProviderError {
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

/// `retry-after-ms`, which OpenAI sends too and is more exact, or `retry-after`.
fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    let ms = headers.get("retry-after-ms").and_then(|value| value.to_str().ok()?.parse::<f64>().ok());
    match ms {
        Some(ms) => Some(Duration::from_millis(ms.clamp(0.0, 3.6e6) as u64)),
        None => retry_after(headers),
    }
}

/// Gemini's wait is in the body: `"retryDelay": "12s"` (google.rpc.RetryInfo).
fn wait_in_body(body: &str) -> Option<Duration> {
    let rest = body.split("\"retryDelay\"").nth(1)?;
    let text = rest.split('"').nth(1)?.strip_suffix('s')?;
    Some(Duration::from_millis((text.parse::<f64>().ok()?.clamp(0.0, 3600.0) * 1000.0) as u64))
}

/// Shortens an error: providers repeat the request in it.
pub(super) fn shorten(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}
