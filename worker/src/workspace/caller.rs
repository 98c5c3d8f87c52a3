use std::sync::{Arc, Mutex};

use nofx_shared::drivers::{Network, Usage};
use tokio_util::sync::CancellationToken;

use crate::drivers::{Confinement, ProcessResult, Processes, Sandboxed};
use crate::egress::Grant;

/// For whom git runs in a workspace: how it is confined, and where what it uses is counted.
#[derive(Clone)]
pub(crate) struct Caller {
    pub processes: Processes,
    /// The caller's own. Git that speaks to no other repository has no network, whatever it says.
    pub confinement: Confinement,
    /// The way out for `Network::Proxy`.
    pub egress: Option<Arc<Grant>>,
    /// Of the attempt.
    pub sandboxed: Arc<Mutex<Sandboxed>>,
    /// The programs of the attempt run on a machine of their own. Git does not: its time is none of that machine's, and how it is confined
    /// says nothing of them.
    pub has_machine: bool,
    pub stop: CancellationToken,
}

impl Caller {
    /// Whoever gave a command, with that person's rights.
    pub(crate) fn person(processes: &Processes, stop: &CancellationToken) -> Self {
        Self {
            processes: processes.clone(),
            confinement: Confinement::NONE,
            egress: None,
            sandboxed: Arc::default(),
            has_machine: false,
            stop: stop.clone(),
        }
    }

    /// With a direct way to other repositories: the workspace is its run's, so that one step's `resources.network` does not decide whether
    /// the next one has it.
    pub(crate) fn for_checkout(&self) -> Self {
        let confinement = Confinement { network: Network::All, ..self.confinement };
        Self { confinement, egress: None, ..self.clone() }
    }

    pub(super) fn count(&self, result: &ProcessResult) {
        let mut sandboxed = self.sandboxed.lock().expect("the lock is never poisoned");
        if self.has_machine {
            sandboxed.add_usage(result.usage.clone().map(|usage| Usage { wall_ms: 0, ..usage }));
        } else {
            sandboxed.add(result.enforced.as_ref(), result.usage.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::{Enforced, Level, Usage};
    use tokio_util::sync::CancellationToken;

    use super::Caller;
    use crate::drivers::{ProcessResult, Processes};

    fn counted(has_machine: bool) -> (Option<Option<Level>>, Option<Usage>) {
        let caller = Caller { has_machine, ..Caller::person(&Processes::own(), &CancellationToken::new()) };
        let enforced = Enforced { level: Some(Level::L3), ..Enforced::default() };
        let usage = Usage { cpu_ms: 7, max_rss_bytes: 9, wall_ms: 11, ..Usage::default() };
        caller.count(&ProcessResult { enforced: Some(enforced), usage: Some(usage), ..ProcessResult::default() });
        let sandboxed = caller.sandboxed.lock().expect("never poisoned").clone();
        (sandboxed.isolation.map(|held| held.level), sandboxed.usage)
    }

    #[test]
    fn what_git_uses_is_counted_and_is_no_time_of_a_machine_that_is_paid_for() {
        let usage = |wall_ms| Some(Usage { cpu_ms: 7, max_rss_bytes: 9, wall_ms, ..Usage::default() });
        assert_eq!(counted(false), (Some(Some(Level::L3)), usage(11)));
        assert_eq!(counted(true), (None, usage(0)));
    }
}
