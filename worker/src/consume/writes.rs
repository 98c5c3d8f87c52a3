//! Writes of `db_write` steps that wait for their turn. Each is settled in a call of its own, because it takes as long as triggers and locks of
//! somebody's table: so that it delays no other result, few are in flight at once, and of a tenant one.

use std::collections::{HashSet, VecDeque};

use nofx_shared::engine::Outcome;
use uuid::Uuid;

use super::step_result::StepResult;

/// Writes in flight: each occupies a connection of the database.
const MAX_IN_FLIGHT: usize = 2;

#[derive(Default)]
pub(super) struct Writes {
    waiting: VecDeque<StepResult>,
    /// Whose write is in flight.
    tenants: HashSet<Uuid>,
}

impl Writes {
    pub(super) fn is_write(result: &StepResult) -> bool {
        matches!(result.outcome, Outcome::Write { .. })
    }

    pub(super) fn add(&mut self, write: StepResult) {
        self.waiting.push_back(write);
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.tenants.len()
    }

    /// The write whose turn it is, which is in flight then. The other writes of its tenant come after those of others.
    pub(super) fn next(&mut self) -> Option<StepResult> {
        if self.tenants.len() >= MAX_IN_FLIGHT {
            return None;
        }
        let at = self.waiting.iter().position(|one| !self.tenants.contains(&one.tenant))?;
        let next = self.waiting.remove(at)?;
        self.tenants.insert(next.tenant);
        let (theirs, others): (Vec<_>, Vec<_>) = self.waiting.drain(..).partition(|one| one.tenant == next.tenant);
        self.waiting.extend(others.into_iter().chain(theirs));
        Some(next)
    }

    /// A write is no longer in flight, however it ended.
    pub(super) fn ended(&mut self, write: &StepResult) {
        self.tenants.remove(&write.tenant);
    }
}

#[cfg(test)]
mod tests {
    use nofx_shared::engine::Outcome;
    use serde_json::json;
    use uuid::Uuid;

    use super::{StepResult, Writes};
    use crate::drivers::Sandboxed;

    fn write(tenant: u128, step: u128) -> StepResult {
        StepResult {
            tenant: Uuid::from_u128(tenant),
            run: Uuid::nil(),
            step: Uuid::from_u128(step),
            token: Uuid::nil(),
            outcome: Outcome::Write { write: json!({}) },
            breaker_target: None,
            inputs: None,
            sandboxed: Sandboxed::default(),
            left: None,
        }
    }

    #[test]
    fn one_of_each_tenant_two_at_a_time_and_who_had_one_comes_last() {
        let mut writes = Writes::default();
        for (tenant, step) in [(1, 1), (1, 2), (1, 3), (2, 4), (2, 5), (3, 6)] {
            writes.add(write(tenant, step));
        }
        let first = [writes.next(), writes.next()].map(|next| next.expect("its turn"));
        assert_eq!(first.each_ref().map(|one| one.step.as_u128()), [1, 4]);
        assert!(writes.next().is_none(), "two are in flight");
        assert_eq!((writes.waiting(), writes.in_flight()), (4, 2));
        writes.ended(&first[0]);
        let next = writes.next().expect("its turn");
        assert_eq!(next.step.as_u128(), 6, "the third tenant's, although others came before");
        writes.ended(&next);
        let next = writes.next().expect("its turn");
        assert_eq!(next.step.as_u128(), 2, "the second tenant's other write waits for its first");
    }
}
