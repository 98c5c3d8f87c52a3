//! Candidates one after the other, until one responds. The waits between rounds are here; a candidate's cooldown is in `cooldown`.

use std::time::Duration;

use nofx_shared::engine::Failure;
use nofx_shared::secrets::Mask;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::caller::ModelCaller;
use super::candidates::Candidate;
use super::chat::{Completion, chat};
use super::cooldown::Cooldowns;
use super::credentials;
use super::provider_error::ProviderError;
use super::request::ModelRequest;

/// Rounds over all candidates before a call fails.
const MAX_ROUNDS: u32 = 3;
/// Longest wait for a candidate that cools down.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The first response, and who gave it. `fallbacks`: the candidates that failed before, each with its class and why.
pub(super) async fn try_candidates<'a>(
    client: &genai::Client,
    cooldowns: &Cooldowns,
    caller: &ModelCaller<'_>,
    request: &ModelRequest,
    candidates: &'a [Candidate],
    fallbacks: &mut Vec<Value>,
) -> Result<(&'a Candidate, Completion), Failure> {
    for round in 0..MAX_ROUNDS {
        for candidate in candidates {
            // The breaker counts failures of other workers and steps too. A candidate without an alternative is called all the same.
            let is_open = caller.step.is_breaker_open(&format!("provider:{}", candidate.provider.name)) && candidates.len() > 1;
            if is_open || cooldowns.cooldown_until(candidate).is_some() {
                continue;
            }
            let key = match credentials::key(caller, candidate).await {
                Ok(key) => key,
                // The first choice needs its key; other candidates are skipped without one.
                Err(failure) if candidates[0].name() == candidate.name() || failure.transient => return Err(failure),
                Err(failure) => {
                    fallbacks.push(fallback(candidate, "missing_key", &failure.message));
                    continue;
                }
            };
            let permits = cooldowns.permits(candidate.provider.name);
            let calling = async {
                let _permit = permits.acquire().await;
                chat(client, candidate, &key, request).await
            };
            let result = tokio::select! {
                result = calling => result,
                () = caller.stop.cancelled() => return Err(Failure::interrupted()),
            };
            match result {
                Ok(completion) => {
                    cooldowns.succeeded(candidate);
                    return Ok((candidate, completion));
                }
                Err(error) => {
                    cooldowns.failed(candidate, &error);
                    let why = caller.mask.apply(&Mask::new([key]).apply(error.message()));
                    fallbacks.push(fallback(candidate, error.class(), &why));
                    match error {
                        ProviderError::InvalidRequest(_) => {
                            return Err(Failure::permanent(format!("{} rejected the request: {why}", candidate.name())));
                        }
                        // Another candidate would start the response again, and it would be paid for twice.
                        ProviderError::Truncated(_) => {
                            return Err(Failure::transient(format!("the response of {} was cut off: {why}", candidate.name())));
                        }
                        ProviderError::RateLimited { .. } | ProviderError::Unavailable(_) | ProviderError::ContentFiltered(_) => {}
                    }
                }
            }
        }
        let filtered = fallbacks.iter().filter(|one| one["class"] == "content_filtered").count();
        if round + 1 == MAX_ROUNDS || filtered == candidates.len() {
            break;
        }
        // All have failed or cool down: wait for the first, longer each round.
        let available_at = candidates.iter().filter_map(|candidate| cooldowns.cooldown_until(candidate)).min();
        let wait = available_at.map_or_else(|| Duration::from_millis(250) * 2u32.pow(round), |at| at - Instant::now());
        if wait > MAX_WAIT {
            break;
        }
        tokio::select! { () = tokio::time::sleep(wait) => {}, () = caller.stop.cancelled() => return Err(Failure::interrupted()) }
    }
    let available_at = candidates.iter().filter_map(|candidate| cooldowns.cooldown_until(candidate)).min();
    Err(no_model(fallbacks, available_at.map(|at| at.saturating_duration_since(Instant::now()))))
}

fn fallback(candidate: &Candidate, class: &str, why: &str) -> Value {
    json!({"provider": candidate.provider.name, "model": candidate.model, "class": class, "why": why})
}

/// Why no candidate responded. `wait`: until the first of them has cooled down.
fn no_model(fallbacks: &[Value], wait: Option<Duration>) -> Failure {
    // None was called: waiting helps, and it says nothing of the step's tool.
    if fallbacks.is_empty() {
        let wait_ms = wait.map(|wait| wait.as_millis() as u64);
        return Failure { wait_ms, ..Failure::transient("no model available: all are cooling down") }.ignored_by_breaker();
    }
    // The rounds may have failed the same way: each reason is named once.
    let mut reasons: Vec<String> = vec![];
    for one in fallbacks {
        let reason = format!("{}: {}", one["provider"].as_str().unwrap_or_default(), one["why"].as_str().unwrap_or_default());
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let is_permanent = fallbacks.iter().all(|one| one["class"] == "content_filtered");
    let failure = if is_permanent { Failure::permanent } else { Failure::transient };
    failure(format!("no model available: {}", reasons.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::super::providers::PROVIDERS;
    use super::{Candidate, Duration, fallback, no_model};

    fn candidate() -> Candidate {
        Candidate { provider: &PROVIDERS[0], base_url: String::new(), model: "m".to_owned() }
    }

    #[test]
    fn candidates_that_all_cool_down_may_respond_later_and_the_tool_is_not_to_blame() {
        let failure = no_model(&[], Some(Duration::from_secs(90)));
        assert_eq!((failure.transient, failure.message.as_str()), (true, "no model available: all are cooling down"));
        assert_eq!((failure.wait_ms, failure.ignored_by_breaker), (Some(90_000), true));
    }

    #[test]
    fn only_content_filters_are_permanent_and_each_reason_is_named_once() {
        let (filtered, failed) =
            (fallback(&candidate(), "content_filtered", "declined"), fallback(&candidate(), "unavailable", "HTTP 500"));
        let failure = no_model(&[filtered.clone(), filtered.clone()], None);
        assert_eq!((failure.transient, failure.message.as_str()), (false, "no model available: openai: declined"));
        let failure = no_model(&[filtered, failed], None);
        assert_eq!((failure.transient, failure.message.as_str()), (true, "no model available: openai: declined; openai: HTTP 500"));
    }
}
