//! Filters of hooks: CEL over `event` or `request`; an empty filter matches everything.

use serde_json::{Value, json};

use crate::plan::expression::{self, Invalid};

/// Checks that a filter is valid CEL.
pub fn check(filter: &str) -> Result<(), Invalid> {
    if filter.is_empty() { Ok(()) } else { expression::check(filter) }
}

/// Whether a filter matches an event or a request. One that cannot be evaluated (it names a field that this event has not) does not.
pub fn matches(filter: &str, event: Option<&Value>, request: Option<&Value>) -> bool {
    if filter.is_empty() {
        return true;
    }
    let nothing = Value::Null;
    let names = [("event", event.unwrap_or(&nothing)), ("request", request.unwrap_or(&nothing))];
    expression::evaluate_with(filter, &names) == Ok(json!(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{check, matches};

    #[test]
    fn a_filter_takes_what_it_is_true_for() {
        let event = json!({"type": "alert.raised", "data": {"kind": "queue_depth", "value": 12}});
        let takes = |filter: &str| matches(filter, Some(&event), None);
        assert!(takes("") && takes("event.type.startsWith('alert.')") && takes("event.data.value > 10"));
        assert!(!takes("event.data.value > 20") && !takes("event.data.nothing == 1") && !takes("event.type"));
        assert!(check("event.type ==").is_err() && check("").is_ok());
    }
}
