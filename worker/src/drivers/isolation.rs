//! What the operator and the host of this worker say about isolation: the operator's minimum, and the levels that cannot be had here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::Duration;

use nofx_sandbox::{Program, Sandbox};
use nofx_shared::drivers::{Driver, Level, Limits, Network, Placement, Toolchain};
use nofx_shared::settings;

/// How long a program that does nothing may take to end.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// The levels that a worker's own machine may have, from the lowest to the highest.
const HERE: [Level; 3] = [Level::L1, Level::L2, Level::L3];

#[derive(Clone, Debug)]
pub(crate) struct Isolation {
    /// The operator's minimum; none with `NOFX_ISOLATION=none`, when nothing is confined.
    pub floor: Option<Level>,
    /// Levels that this host does not offer, each with what it lacks.
    pub lacking: BTreeMap<Level, String>,
    /// Where steps go whose programs this host cannot isolate enough; none: they fail.
    pub elsewhere: Option<(Driver, Option<Placement>)>,
    /// What programs of plans reach here whose step names no network; none: all.
    pub network: Option<Network>,
    /// The toolchains that steps may name.
    pub toolchains: BTreeSet<Toolchain>,
}

impl Isolation {
    /// Tries each level once, with a program that does nothing.
    pub(crate) async fn of_host(settings: &settings::Worker, sandbox: Sandbox) -> Self {
        let floor = settings.isolation_floor;
        let tried = tokio::task::spawn_blocking(move || {
            let toolchains = sandbox.toolchains().inspect_err(|why| tracing::warn!(why, "the toolchains of this worker are not known"));
            let levels = HERE.into_iter().filter(|_| floor.is_some());
            (levels.filter_map(|level| try_level(&sandbox, level).err().map(|why| (level, why))).collect(), toolchains)
        });
        // A thread that failed has found nothing: the start of a process says then what is missing.
        let (lacking, toolchains) = tried.await.unwrap_or((BTreeMap::new(), Ok(BTreeSet::new())));
        let toolchains = toolchains.unwrap_or_default();
        Self { floor, lacking, elsewhere: settings.l4_driver, network: settings.step_network, toolchains }
    }

    /// Whether programs of plans can have this level here.
    pub(crate) fn offers(&self, level: Level) -> bool {
        HERE.contains(&level) && !self.lacking.contains_key(&level)
    }

    /// The level of a program that a worker runs over a workspace itself, up to the one that its step demands: a level that the host lacks is
    /// refused when a step is claimed that would run programs of its own here. The operator's minimum where the host has it, else the best
    /// that the host has: without these programs no step would have a workspace, also none on a machine of its own. None: nothing is confined.
    pub(crate) fn offered_up_to(&self, least: Option<Level>) -> Option<Level> {
        let (floor, least) = (self.floor?.min(Level::L3), least?);
        let best = |most: Level, least: Level| HERE.into_iter().rev().find(|level| (least..=most).contains(level) && self.offers(*level));
        Some(best(least, floor).or_else(|| best(floor, Level::L1)).unwrap_or(floor))
    }

    /// The level of a program of the worker's own that no step demands more of.
    pub(crate) fn of_worker(&self) -> Option<Level> {
        self.offered_up_to(self.floor)
    }

    /// The same, where it is below the operator's minimum: attempts show it.
    pub(crate) fn reduced(&self) -> Option<Level> {
        self.of_worker().filter(|level| self.floor.is_some_and(|floor| *level < floor.min(Level::L3)))
    }
}

fn try_level(sandbox: &Sandbox, level: Level) -> Result<(), String> {
    let dir = sandbox.scratch(None)?;
    let tried = try_in(sandbox, &dir, level);
    sandbox.remove_later(&dir);
    tried
}

fn try_in(sandbox: &Sandbox, dir: &std::path::Path, level: Level) -> Result<(), String> {
    let null = std::fs::File::options().write(true).open("/dev/null").map_err(|error| error.to_string())?;
    let program = Program {
        argv: vec!["true".to_owned()],
        script: None,
        dir: dir.to_owned(),
        env: BTreeMap::from([("PATH".to_owned(), nofx_shared::settings::path())]),
        level: Some(level),
        limits: Limits::default(),
        network: Network::None,
        proxy_port: None,
        bridge: None,
        toolchains: None,
        scratch: None,
    };
    let (on_end, end) = mpsc::channel();
    let _running = sandbox.start(program, &null, &null, move |ended| drop(on_end.send(ended)))?;
    match end.recv_timeout(PROBE_TIMEOUT) {
        Ok(Ok(ended)) if ended.exit_code != Some(0) => Err(format!("`true` ended with {:?}", ended.exit_code)),
        Ok(Err(why)) => Err(why),
        // What took too long here may not do so later.
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::Level::{self, L1, L2, L3, L4};

    use super::{BTreeSet, Isolation};

    fn isolation(floor: Option<Level>, lacking: &[Level]) -> Isolation {
        Isolation {
            floor,
            lacking: lacking.iter().map(|level| (*level, "it has none".to_owned())).collect(),
            elsewhere: None,
            network: None,
            toolchains: BTreeSet::new(),
        }
    }

    #[test]
    fn a_program_here_has_the_level_of_its_step_as_far_as_the_host_goes() {
        let offered = |floor, lacking: &[Level], least| isolation(Some(floor), lacking).offered_up_to(Some(least));
        for level in [L1, L2, L3] {
            assert_eq!(offered(L1, &[], level), Some(level));
        }
        assert_eq!((offered(L1, &[], L4), offered(L4, &[], L4)), (Some(L3), Some(L3)), "a machine of its own is no level of this one");
        assert_eq!((offered(L1, &[L3], L4), offered(L1, &[L2, L3], L4)), (Some(L2), Some(L1)));
        assert_eq!(offered(L2, &[L3], L4), Some(L2), "never less than the operator's minimum");
        assert_eq!(isolation(None, &[]).offered_up_to(Some(L4)), None);
    }

    #[test]
    fn where_the_host_lacks_the_minimum_programs_of_the_worker_have_the_best_that_there_is() {
        let of = |floor, lacking: &[Level]| {
            let isolation = isolation(Some(floor), lacking);
            (isolation.of_worker(), isolation.reduced())
        };
        assert_eq!(of(L2, &[L2, L3]), (Some(L1), Some(L1)));
        assert_eq!(of(L3, &[L3]), (Some(L2), Some(L2)));
        assert_eq!(of(L4, &[L3]), (Some(L2), Some(L2)));
        for (floor, level) in [(L1, L1), (L2, L2), (L3, L3), (L4, L3)] {
            assert_eq!(of(floor, &[]), (Some(level), None), "{floor}");
        }
        assert_eq!(of(L2, &[L1, L2, L3]), (Some(L2), None), "a start says what is missing");
        assert_eq!((isolation(None, &[]).of_worker(), isolation(None, &[]).reduced()), (None, None));
        assert_eq!([L1, L2, L3, L4].map(|level| isolation(Some(L2), &[L3]).offers(level)), [true, true, false, false]);
    }
}
