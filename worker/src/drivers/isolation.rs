//! What the operator and the host of this worker say about isolation: the operator's minimum, and the levels that cannot be had here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::Duration;

use nofx_sandbox::{Program, Sandbox};
use nofx_shared::drivers::{Level, Limits, Network, Toolchain};

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
    /// The toolchains that steps may name.
    pub toolchains: BTreeSet<Toolchain>,
}

impl Isolation {
    /// Tries each level once, with a program that does nothing.
    pub(crate) async fn of_host(floor: Option<Level>, sandbox: Sandbox) -> Self {
        let levels: Vec<Level> = HERE.into_iter().filter(|level| floor.is_some_and(|floor| *level >= floor.min(Level::L3))).collect();
        let tried = tokio::task::spawn_blocking(move || {
            let toolchains = sandbox.toolchains().inspect_err(|why| tracing::warn!(why, "the toolchains of this worker are not known"));
            (levels.into_iter().filter_map(|level| try_level(&sandbox, level).err().map(|why| (level, why))).collect(), toolchains)
        });
        // A thread that failed has found nothing: the start of a process says then what is missing.
        let (lacking, toolchains) = tried.await.unwrap_or((BTreeMap::new(), Ok(BTreeSet::new())));
        Self { floor, lacking, toolchains: toolchains.unwrap_or_default() }
    }

    /// The highest level of a program that runs here, up to the one that its step demands: a level that the host lacks is refused when a
    /// step that would run here is claimed. None: nothing is confined.
    pub(crate) fn offered_up_to(&self, least: Option<Level>) -> Option<Level> {
        let (floor, least) = (self.floor?.min(Level::L3), least?);
        let offered = HERE.into_iter().rev().find(|level| (floor..=least).contains(level) && !self.lacking.contains_key(level));
        Some(offered.unwrap_or(floor))
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

    use super::Isolation;

    #[test]
    fn a_program_here_has_the_level_of_its_step_as_far_as_the_host_goes() {
        let offered = |floor, lacking: &[Level], least| {
            let lacking = lacking.iter().map(|level| (*level, "it has none".to_owned())).collect();
            Isolation { floor: Some(floor), lacking, toolchains: [].into() }.offered_up_to(Some(least))
        };
        for level in [L1, L2, L3] {
            assert_eq!(offered(L1, &[], level), Some(level));
        }
        assert_eq!((offered(L1, &[], L4), offered(L4, &[], L4)), (Some(L3), Some(L3)), "a machine of its own is no level of this one");
        assert_eq!((offered(L1, &[L3], L4), offered(L1, &[L2, L3], L4)), (Some(L2), Some(L1)));
        assert_eq!(offered(L2, &[L2, L3], L4), Some(L2), "never less than the operator's minimum");
        assert_eq!(Isolation { floor: None, lacking: [].into(), toolchains: [].into() }.offered_up_to(Some(L4)), None);
    }
}
