//! What may leave a step: its result without secrets, within the limits, and as Postgres stores it.

use nofx_shared::engine::{Failure, Outcome};
use nofx_shared::plan::{VALUE_DEPTH, is_deep};
use nofx_shared::secrets::Mask;
use serde_json::{Value, json};

/// Largest outputs of a step; the contract's limit.
const OUTPUT_BYTES: usize = 256 << 10;

/// The outcome of a handler without the step's secrets; outputs that are too large fail the step.
pub(crate) fn masked(result: Result<Outcome, Failure>, mask: &Mask) -> Outcome {
    match result {
        Ok(Outcome::Done { outputs }) => mask_outputs(&outputs, mask),
        Ok(Outcome::Skipped { reason }) => Outcome::Skipped { reason: mask.apply(&reason) },
        Ok(Outcome::TimedOut(failure)) => Outcome::TimedOut(masked_failure(&failure, mask)),
        Ok(Outcome::Failed(failure)) => Outcome::Failed(masked_failure(&failure, mask)),
        Ok(Outcome::Gate { gate_type, question }) => Outcome::Gate { gate_type, question: question.map(|text| mask.apply(&text)) },
        // A write is what the step asks for, children get what the plan says, and both are shown masked: the others have no text.
        Ok(outcome) => outcome,
        Err(failure) => Outcome::Failed(masked_failure(&failure, mask)),
    }
}

/// A failure without the step's secrets.
pub(crate) fn masked_failure(failure: &Failure, mask: &Mask) -> Failure {
    let details = if is_deep(&failure.details) {
        json!(format!("[left out: nested deeper than {VALUE_DEPTH} levels]"))
    } else {
        mask.apply_to_json(&failure.details)
    };
    Failure { message: mask.apply(&failure.message), details, ..failure.clone() }
}

fn mask_outputs(outputs: &Value, mask: &Mask) -> Outcome {
    let outputs = mask.apply_to_json(outputs);
    let bytes = outputs.to_string().len();
    if bytes > OUTPUT_BYTES {
        let message = format!("outputs are {bytes} bytes, the limit is {OUTPUT_BYTES}; write them to an artifact");
        return Outcome::Failed(Failure::permanent(message));
    }
    if is_deep(&outputs) {
        let message = format!("outputs are nested deeper than {VALUE_DEPTH} levels; write them to an artifact");
        return Outcome::Failed(Failure::permanent(message));
    }
    Outcome::Done { outputs }
}

/// With U+FFFD for NUL, which Postgres does not store: one such outcome would have its whole batch refused.
pub(crate) fn without_nul(value: Value) -> Value {
    let replaced = |text: String| if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text };
    match value {
        Value::String(text) => Value::String(replaced(text)),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (replaced(key), without_nul(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use nofx_shared::engine::{Failure, Outcome};
    use nofx_shared::secrets::Mask;
    use serde_json::json;

    use super::{OUTPUT_BYTES, masked, without_nul};

    #[test]
    fn postgres_stores_what_a_step_printed() {
        let printed = json!({"a\0": ["b\0c", 1, null], "d": {"e": "\0"}, "f": "plain"});
        let stored = json!({"a\u{fffd}": ["b\u{fffd}c", 1, null], "d": {"e": "\u{fffd}"}, "f": "plain"});
        assert_eq!(without_nul(printed), stored);
    }

    #[test]
    fn no_secret_leaves_a_step_in_outputs_or_failures() {
        let mask = Mask::new(["hunter2-hunter2".to_owned()]);
        let done = Outcome::Done { outputs: json!({"a": ["is hunter2-hunter2"]}) };
        assert_eq!(masked(Ok(done), &mask), Outcome::Done { outputs: json!({"a": ["is ***"]}) });
        let failure = Failure::transient("no hunter2-hunter2").with_details(json!({"body": "hunter2-hunter2"}));
        let expected = Failure::transient("no ***").with_details(json!({"body": "***"}));
        assert_eq!(masked(Err(failure), &mask), Outcome::Failed(expected));
    }

    #[test]
    fn outputs_have_a_limit() {
        let of = |bytes: usize| masked(Ok(Outcome::Done { outputs: json!("x".repeat(bytes - 2)) }), &Mask::default());
        assert!(matches!(of(OUTPUT_BYTES), Outcome::Done { .. }) && matches!(of(OUTPUT_BYTES + 1), Outcome::Failed(_)));
    }

    #[test]
    fn nothing_deep_leaves_a_step() {
        let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        let of = |levels: usize| masked(Ok(Outcome::Done { outputs: nested(levels) }), &Mask::default());
        assert!(matches!(of(64), Outcome::Done { .. }));
        let Outcome::Failed(failure) = of(65) else { panic!("one level too many") };
        assert!(!failure.transient && failure.message.contains("64 levels"), "{failure:?}");
        let Outcome::Failed(failure) = masked(Err(Failure::transient("x").with_details(nested(1000))), &Mask::default()) else {
            panic!("failed")
        };
        assert!(failure.transient && failure.details.is_string(), "its details are left out: {failure:?}");
    }
}
