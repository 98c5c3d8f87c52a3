//! What held while the processes of a step ran, and what they used. Drivers report it with each process's result; it is settled with the
//! step's outcome, and evidence and provenance have it.

use nofx_shared::drivers::{Destination, Enforced, Level, Network, Usage};
use serde_json::{Value, json};

/// What held for all processes of an attempt, and what they used together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sandboxed {
    /// Of the processes that ran, what the least isolated one had. None: no process ran, or its driver reported nothing.
    pub isolation: Option<Enforced>,
    /// None: no process ran, or its driver reported nothing.
    pub usage: Option<Usage>,
    /// Set for a machine of the step's own on whose worker less than the operator's minimum holds.
    workspace_level: Option<Level>,
    /// Whether a driver reported nothing for a process: then nothing is claimed for the attempt.
    has_unreported: bool,
}

impl Sandboxed {
    /// Of a step with a machine of its own. `workspace_level`: what the worker's programs over its workspace have, if that is less than the
    /// operator's minimum.
    pub(crate) fn elsewhere(workspace_level: Option<Level>) -> Self {
        Self { workspace_level, ..Self::default() }
    }

    /// Adds what was used beside its processes, or is known of all of them only: how long their machine was there.
    pub(crate) fn add_usage(&mut self, usage: Option<Usage>) {
        if let Some(usage) = usage {
            self.usage = Some(self.usage.take().unwrap_or_default().and(usage));
        }
    }

    /// Adds a process that has ended.
    pub(crate) fn add(&mut self, enforced: Option<&Enforced>, usage: Option<Usage>) {
        self.add_usage(usage);
        self.has_unreported |= enforced.is_none();
        let weaker = |enforced: &&Enforced| self.isolation.as_ref().is_none_or(|known| strength(enforced) < strength(known));
        if self.has_unreported {
            self.isolation = None;
        } else if let Some(enforced) = enforced.filter(weaker) {
            self.isolation = Some(Enforced { workspace_level: self.workspace_level, ..enforced.clone() });
        }
    }

    /// What the processes reached through the egress proxy.
    pub(crate) fn reached(&mut self, destinations: Vec<Destination>) {
        if !destinations.is_empty() {
            self.usage.get_or_insert_default().destinations = destinations;
        }
    }

    /// What is settled: nothing when no process ran, `{}` when one ran of which nothing is known.
    pub(crate) fn reported(&self) -> Option<Value> {
        if self.has_unreported { Some(json!({})) } else { self.isolation.as_ref().map(|isolation| json!(isolation)) }
    }
}

/// How isolated a process is: at the same level, one that reaches less is isolated more.
fn strength(enforced: &Enforced) -> (Option<Level>, u8) {
    let closed = match enforced.network {
        None => 0,
        Some(Network::All) => 1,
        Some(Network::Proxy) => 2,
        Some(Network::None) => 3,
    };
    (enforced.level, closed)
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::{Enforced, Level, Network, Usage};

    use super::Sandboxed;

    fn at(level: Option<Level>) -> Enforced {
        Enforced { level, driver: "worker-container".to_owned(), ..Enforced::default() }
    }

    #[test]
    fn a_machine_whose_worker_lacks_the_minimum_says_what_its_workspace_had() {
        let mut sandboxed = Sandboxed::elsewhere(Some(Level::L1));
        assert_eq!(sandboxed.reported(), None, "no program ran");
        sandboxed.add(Some(&at(Some(Level::L4))), None);
        let reported = sandboxed.reported().expect("one ran");
        assert_eq!((&reported["level"], &reported["workspace_level"]), (&"L4".into(), &"L1".into()));
    }

    #[test]
    fn the_weakest_process_says_what_held() {
        let mut sandboxed = Sandboxed::default();
        for level in [Some(Level::L3), Some(Level::L2), Some(Level::L3)] {
            sandboxed.add(Some(&at(level)), None);
        }
        assert_eq!(sandboxed.isolation, Some(at(Some(Level::L2))));
        sandboxed.add(Some(&at(None)), None);
        assert_eq!(sandboxed.isolation, Some(at(None)), "one ran without isolation");
    }

    #[test]
    fn of_processes_at_one_level_the_one_that_reaches_most_says_what_held() {
        let network = |network| Enforced { network, ..at(Some(Level::L2)) };
        let mut sandboxed = Sandboxed::default();
        for (reached, held) in [
            (Some(Network::None), Some(Network::None)),
            (Some(Network::All), Some(Network::All)),
            (Some(Network::Proxy), Some(Network::All)),
            (None, None),
            (Some(Network::None), None),
        ] {
            sandboxed.add(Some(&network(reached)), None);
            assert_eq!(sandboxed.isolation, Some(network(held)), "{reached:?}");
        }
        sandboxed.add(Some(&Enforced { network: Some(Network::None), ..at(Some(Level::L1)) }), None);
        assert_eq!(sandboxed.isolation.map(|held| held.level), Some(Some(Level::L1)), "the level comes first");
    }

    #[test]
    fn nothing_is_claimed_for_an_attempt_with_a_process_of_which_nothing_is_known() {
        let mut sandboxed = Sandboxed::default();
        sandboxed.add(Some(&at(Some(Level::L3))), None);
        sandboxed.add(None, None);
        sandboxed.add(Some(&at(Some(Level::L3))), None);
        assert_eq!(sandboxed.isolation, None);
    }

    #[test]
    fn times_are_added_and_of_memory_the_peak_counts() {
        let mut sandboxed = Sandboxed::default();
        sandboxed.add(None, Some(Usage { cpu_ms: 5, max_rss_bytes: 900, wall_ms: 10, ..Usage::default() }));
        sandboxed.add(None, Some(Usage { cpu_ms: 7, max_rss_bytes: 100, wall_ms: u64::MAX, ..Usage::default() }));
        assert_eq!(sandboxed.usage, Some(Usage { cpu_ms: 12, max_rss_bytes: 900, wall_ms: u64::MAX, ..Usage::default() }));
    }
}
