//! What the operator and the host of this worker say about isolation: the operator's minimum, and the levels that cannot be had here.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use nofx_sandbox::{Program, Sandbox};
use nofx_shared::drivers::{Level, Limits, Network};

/// How long a program that does nothing may take to end.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub(crate) struct Isolation {
    /// The operator's minimum; none with `NOFX_ISOLATION=none`, when nothing is confined.
    pub floor: Option<Level>,
    /// Levels that this host does not offer, each with what it lacks.
    pub lacking: BTreeMap<Level, String>,
}

impl Isolation {
    /// Tries each level once, with a program that does nothing.
    pub(crate) async fn of_host(floor: Option<Level>, sandbox: Sandbox) -> Self {
        let levels: Vec<Level> =
            Level::ALL.into_iter().filter(|level| *level < Level::L4 && floor.is_some_and(|floor| *level >= floor)).collect();
        let tried = tokio::task::spawn_blocking(move || {
            levels.into_iter().filter_map(|level| try_level(&sandbox, level).err().map(|why| (level, why))).collect()
        });
        // A thread that failed has found nothing: the start of a process says then what is missing.
        Self { floor, lacking: tried.await.unwrap_or_default() }
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
