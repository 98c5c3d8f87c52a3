//! Filters of hooks: CEL over `event` or `request`; an empty filter matches everything.

use serde_json::{Value, json};

use crate::plan::expression::{self, Budget, Evaluator, Invalid, Names};

/// Checks that a filter is valid CEL.
pub fn check(filter: &str) -> Result<(), Invalid> {
    if filter.is_empty() { Ok(()) } else { expression::check(filter) }
}

/// Evaluates filters. This blocks, each for as long as its budget allows.
#[derive(Default)]
pub struct Filters {
    evaluator: Evaluator,
    used: u64,
}

impl Filters {
    /// Whether a filter matches an event or a request. One that cannot be evaluated (it names a field that this event has not) does not. One
    /// that exceeds its budget does: a sender who makes it so must not get past a hook.
    pub fn matches(&mut self, filter: &str, subject: &Subject) -> bool {
        if filter.is_empty() {
            return true;
        }
        let mut budget = Budget::FILTER;
        let found = self.evaluator.evaluate(filter, &subject.0, &mut budget);
        self.used += budget.used_of(Budget::FILTER);
        match found {
            Err(error @ Invalid::TooCostly(_)) => {
                tracing::warn!(%error, "a hook's filter was stopped, and counts as matching");
                true
            }
            found => found == Ok(json!(true)),
        }
    }

    /// Whether these filters have used what is enough for one turn; what is left to do is for the next one.
    pub fn used_their_turn(&self) -> bool {
        Budget::STEP.is_used_by(self.used)
    }
}

/// What filters are about.
pub struct Subject(Names);

impl Subject {
    pub fn event(event: &Value) -> Self {
        Self(Names::new(&[("event", event), ("request", &Value::Null)]))
    }

    pub fn request(request: &Value) -> Self {
        Self(Names::new(&[("event", &Value::Null), ("request", request)]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Filters, Subject, check};

    #[test]
    fn a_filter_takes_what_it_is_true_for() {
        let event = Subject::event(&json!({"type": "alert.raised", "data": {"kind": "queue_depth", "value": 12}}));
        let mut filters = Filters::default();
        let mut takes = |filter: &str| filters.matches(filter, &event);
        assert!(takes("") && takes("event.type.startsWith('alert.')") && takes("event.data.value > 10"));
        assert!(!takes("event.data.value > 20") && !takes("event.data.nothing == 1") && !takes("event.type"));
        assert!(check("event.type ==").is_err() && check("").is_ok());
    }

    #[test]
    fn a_filter_that_exceeds_its_budget_matches_and_ends_the_turn() {
        let request = |items: usize| Subject::request(&json!({"body": {"items": vec![0; items]}}));
        let costly = "request.body.items.exists(x, request.body.items.exists(y, x + y == 1))";
        let mut filters = Filters::default();
        assert!(!filters.matches(costly, &request(10)), "it is evaluated while it can be");
        assert!(!filters.used_their_turn());
        let large = request(1000);
        for _ in 0..10 {
            assert!(filters.matches(costly, &large), "who sends much does not get past the hook");
        }
        assert!(filters.used_their_turn());
        assert!(check(&format!("{}true{}", "[1].all(x, ".repeat(5), ")".repeat(5))).is_err(), "refused when it is set");
    }
}
