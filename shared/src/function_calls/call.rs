use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::crypto;

/// Where the function is, below the deployment's URL.
pub const PATH: &str = "/api/internal/execute";
/// The header with the signature over the body: see `crypto::FunctionKey`.
pub const SIGNATURE_HEADER: &str = "x-nofx-signature";
/// Largest body of a call and of its answer: a function at Vercel takes 4.5 MB
/// (<https://vercel.com/docs/functions/limitations#request-body-size>).
pub const FUNCTION_CALL_BYTES: usize = 4 << 20;

/// How old a call may be, in seconds: whoever retries signs again.
const VALID_S: i64 = 60;
/// How far the caller's clock may be ahead, in seconds.
const SKEW_S: i64 = 10;

/// A call: which attempt it is for, and what is executed. Its JSON is the body that is signed. It has no secrets: the function reads those
/// that the step names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionCall {
    pub tenant_id: Uuid,
    pub run_id: Uuid,
    pub step_id: Uuid,
    pub attempt: u32,
    /// The token of the attempt's lease, which must be valid.
    pub token: Uuid,
    pub tool: String,
    /// New for each request: a request that was received before is refused.
    pub nonce: Uuid,
    /// When it was signed, in seconds since 1970.
    pub issued_at: i64,
    /// After how many seconds the function ends, 1 to 45.
    pub timeout_s: u64,
    /// What is executed, as the worker that executes it reads it.
    pub work: Value,
}

impl FunctionCall {
    /// Whether it was signed a moment ago; `now` in seconds since 1970.
    pub fn is_current(&self, now: i64) -> bool {
        (now - VALID_S..=now + SKEW_S).contains(&self.issued_at)
    }

    /// Calls of a step with equal work are the same call, whoever sends them.
    pub fn work_hash(&self) -> String {
        crypto::digest(self.work.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::FunctionCall;

    fn body() -> Value {
        json!({
            "tenant_id": Uuid::nil(), "run_id": Uuid::nil(), "step_id": Uuid::nil(), "attempt": 1, "token": Uuid::nil(), "tool": "noop",
            "nonce": Uuid::nil(), "issued_at": 1000, "timeout_s": 45, "work": {"inputs": {}},
        })
    }

    #[test]
    fn a_call_is_valid_for_a_minute_and_a_clock_may_be_ten_seconds_ahead() {
        let call: FunctionCall = serde_json::from_value(body()).expect("a call");
        for (now, is_current) in [(989, false), (990, true), (1000, true), (1060, true), (1061, false), (0, false)] {
            assert_eq!(call.is_current(now), is_current, "{now}");
        }
        for issued_at in [i64::MIN, i64::MAX, -1000] {
            assert!(!FunctionCall { issued_at, ..call.clone() }.is_current(1000), "{issued_at}");
        }
    }

    #[test]
    fn what_is_missing_unknown_or_of_another_type_is_no_call() {
        for (field, wrong) in [
            ("step_id", json!("x")),
            ("attempt", json!(-1)),
            ("attempt", json!("1")),
            ("token", json!(null)),
            ("tool", json!(["noop"])),
            ("issued_at", json!(1.5)),
            ("timeout_s", json!(-1)),
            ("more", json!(1)),
        ] {
            let mut body = body();
            body[field] = wrong;
            assert!(serde_json::from_value::<FunctionCall>(body.clone()).is_err(), "{body}");
        }
        for field in body().as_object().expect("fields").keys() {
            let mut body = body();
            body.as_object_mut().expect("fields").remove(field);
            assert!(serde_json::from_value::<FunctionCall>(body).is_err(), "{field}");
        }
    }

    #[test]
    fn other_work_is_another_call_and_another_nonce_is_not() {
        let call: FunctionCall = serde_json::from_value(body()).expect("a call");
        let again = FunctionCall { nonce: Uuid::max(), issued_at: 1001, token: Uuid::max(), ..call.clone() };
        assert_eq!(call.work_hash(), again.work_hash());
        assert_ne!(call.work_hash(), FunctionCall { work: json!({"inputs": {"a": 1}}), ..call }.work_hash());
    }
}
