//! A call of one provider. It never retries: the caller does.

use futures::StreamExt;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatResponseFormat, ChatStreamEvent, JsonSpec, StopReason};
use genai::resolver::{AuthData, Endpoint};
use genai::{ModelIden, ServiceTarget};

use super::candidates::Candidate;
use super::provider_error::{ProviderError, classify, shorten};
use super::request::ModelRequest;

/// Tokens, counted the same way for all providers: input includes cached tokens, output includes reasoning tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Usage {
    pub input_tokens: u64,
    pub cached_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
}

/// A response that is complete.
pub(super) struct Completion {
    pub text: String,
    pub usage: Usage,
}

/// Calls a candidate once.
pub(super) async fn chat(
    client: &genai::Client,
    candidate: &Candidate,
    key: &str,
    request: &ModelRequest,
) -> Result<Completion, ProviderError> {
    let target = ServiceTarget {
        endpoint: Endpoint::from_owned(format!("{}/", candidate.base_url.trim_end_matches('/'))),
        auth: AuthData::from_single(key),
        model: ModelIden::new(candidate.provider.adapter, candidate.model.clone()),
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
