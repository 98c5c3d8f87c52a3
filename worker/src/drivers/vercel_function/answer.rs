//! What a function answers: the outcome of a tool, or the response of a model.

use nofx_shared::engine::{Failure, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::failure::SentFailure;
use crate::models::ModelResponse;

/// The answer of a function, without secrets of the step.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    pub executed: Executed,
    /// The external service that the step called, for its breaker.
    pub breaker_target: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Executed {
    Done { outputs: Value },
    Write { write: Value },
    BreakerOpen { target: String },
    Failed(SentFailure),
    TimedOut(SentFailure),
    Responded(ModelResponse),
}

impl Executed {
    /// Of a tool.
    pub(crate) fn of_tool(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done { outputs } => Self::Done { outputs },
            Outcome::Write { write } => Self::Write { write },
            Outcome::BreakerOpen { target } => Self::BreakerOpen { target },
            Outcome::Failed(failure) => Self::Failed(failure.into()),
            Outcome::TimedOut(failure) => Self::TimedOut(failure.into()),
            // Tools that a function executes do not park.
            Outcome::Skipped { .. }
            | Outcome::Interrupted
            | Outcome::Fenced
            | Outcome::Gate { .. }
            | Outcome::Timer { .. }
            | Outcome::Children { .. } => {
                Self::Failed(Failure::permanent(format!("a function cannot answer with the outcome {}", outcome.name())).into())
            }
        }
    }

    /// The outcome of the tool.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Done { outputs } => Outcome::Done { outputs },
            Self::Write { write } => Outcome::Write { write },
            Self::BreakerOpen { target } => Outcome::BreakerOpen { target },
            Self::Failed(failure) => Outcome::Failed(failure.into()),
            Self::TimedOut(failure) => Outcome::TimedOut(failure.into()),
            Self::Responded(_) => Outcome::Failed(Failure::permanent("the function answered with a model's response, not with an outcome")),
        }
    }

    /// The response of the model.
    pub(crate) fn response(self) -> Result<ModelResponse, Failure> {
        match self {
            Self::Responded(response) => Ok(response),
            Self::Failed(failure) | Self::TimedOut(failure) => Err(failure.into()),
            Self::Done { .. } | Self::Write { .. } | Self::BreakerOpen { .. } => {
                Err(Failure::permanent("the function answered with an outcome, not with a model's response"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use nofx_shared::engine::{Failure, Outcome};
    use serde_json::{Value, json};

    use super::{Answer, Executed};

    fn sent(outcome: Outcome) -> Outcome {
        let answer = Answer { executed: Executed::of_tool(outcome), breaker_target: None };
        let text = serde_json::to_string(&answer).expect("JSON");
        serde_json::from_str::<Answer>(&text).expect("an answer").executed.outcome()
    }

    #[test]
    fn an_outcome_is_the_same_after_it_was_sent() {
        let failure = Failure { wait_ms: Some(7), ..Failure::transient("no").ignored_by_breaker().with_details(json!({"status": 503})) };
        for outcome in [
            Outcome::Done { outputs: json!({"a": [1, null, "ü"]}) },
            Outcome::Write { write: json!({"op": "insert"}) },
            Outcome::BreakerOpen { target: "http:a".to_owned() },
            Outcome::Failed(failure.clone()),
            Outcome::Failed(Failure::permanent("never")),
            Outcome::TimedOut(failure),
        ] {
            assert_eq!(sent(outcome.clone()), outcome);
        }
    }

    #[test]
    fn what_a_function_cannot_do_fails_the_step_for_good() {
        for outcome in [Outcome::Interrupted, Outcome::Timer { wait_ms: 1 }, Outcome::Skipped { reason: String::new() }] {
            assert!(matches!(sent(outcome), Outcome::Failed(failure) if !failure.transient));
        }
        assert!(Executed::Done { outputs: Value::Null }.response().is_err_and(|failure| !failure.transient));
    }

    #[test]
    fn another_text_is_no_answer() {
        for wrong in [
            json!({}),
            json!([]),
            json!({"executed": "done", "breaker_target": null}),
            json!({"executed": {"gate": {}}, "breaker_target": null}),
        ] {
            assert!(serde_json::from_value::<Answer>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
