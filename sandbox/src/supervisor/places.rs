//! What a process may reach, as paths and ports.

use std::path::{Path, PathBuf};

use nofx_shared::drivers::{Level, Network};

use crate::launch::{Namespaces, Spec, Tcp};
use crate::tools::Tools;
use crate::wire::Process;

/// The file with the script of a process, in its scratch folder.
pub(super) const SCRIPT: &str = "script";

pub(super) struct Places {
    /// The least that a process gets, whatever is asked for; none: processes are not confined at all (`NOFX_ISOLATION=none`).
    pub least: Option<Level>,
    pub tools: Tools,
    /// Memory of a process with all of its descendants, in MiB, where nothing is asked for; none: not known.
    pub memory_mb: Option<u64>,
    /// TCP ports for `Network::All`.
    pub ports: Vec<u16>,
    /// This program.
    pub exe: PathBuf,
    /// Those of the supervisor.
    pub outside: Namespaces,
}

impl Places {
    /// What a process gets that asks for a level: as the user of the worker nothing below namespaces keeps it from the worker.
    pub(super) fn level(&self, asked: Option<Level>) -> Result<Option<Level>, String> {
        match (self.least, asked) {
            (Some(least), asked) => Ok(Some(asked.map_or(least, |asked| asked.max(least)))),
            (None, None) => Ok(None),
            (None, Some(asked)) => Err(format!("the program is to be confined at {asked}, and NOFX_ISOLATION=none confines nothing")),
        }
    }

    pub(super) fn spec(&self, process: Process, read_write: Vec<PathBuf>, scratch: &Path) -> Result<Spec, String> {
        let Process { mut argv, script, dir, mut env, level, mut limits, network, proxy_port, toolchains, scratch: _ } = process;
        let shown = self.tools.shown(toolchains.as_deref())?;
        if toolchains.is_some() && level < Some(Level::L2) {
            return Err("`toolchains` need L2: without Landlock a program reads what every user may read".to_owned());
        }
        // `RLIMIT_DATA` of each process is not enough: what processes share is not in it, and there may be many.
        limits.total_cpu_s = limits.total_cpu_s.or(limits.cpu_s);
        limits.total_memory_mb = limits.total_memory_mb.or(limits.memory_mb).or(self.memory_mb);
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        for name in ["HOME", "TMPDIR"] {
            env.entry(name.to_owned()).or_insert_with(|| text(scratch.to_owned()));
        }
        env.insert("NOFX_OUTPUT".to_owned(), text(scratch.join("output.json")));
        argv.extend(script.map(|_| text(scratch.join(SCRIPT))));
        Ok(Spec {
            argv,
            dir,
            env,
            // It is not read when the process is not confined.
            level: level.unwrap_or(Level::L1),
            limits,
            tcp: match (network, proxy_port) {
                (Network::None, _) => Tcp::None,
                (Network::All, _) => Tcp::Ports(self.ports.clone()),
                (Network::Proxy, Some(port)) if level >= Some(Level::L2) => Tcp::Proxy(port),
                (Network::Proxy, Some(_)) => {
                    return Err("`network: proxy` needs L2: without Landlock nothing keeps programs to the proxy".to_owned());
                }
                (Network::Proxy, None) => return Err("the worker named no egress proxy".to_owned()),
            },
            read_write,
            read_only: shown.read_only,
            hidden: shown.hidden,
            toolchains,
            scratch: scratch.to_owned(),
            exe: self.exe.clone(),
            outside: self.outside.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nofx_shared::drivers::{Level, Limits, Network};

    use super::Places;
    use crate::launch::Namespaces;
    use crate::tools::Tools;
    use crate::wire::Process;

    fn places(least: Option<Level>) -> Places {
        Places { least, tools: Tools::default(), memory_mb: Some(900), ports: vec![], exe: "/exe".into(), outside: Namespaces::default() }
    }

    fn process(limits: Limits) -> Process {
        Process {
            argv: vec!["bash".to_owned()],
            script: Some("echo secret".to_owned()),
            dir: "/w".into(),
            env: BTreeMap::new(),
            level: None,
            limits,
            network: Network::None,
            proxy_port: None,
            toolchains: None,
            scratch: None,
        }
    }

    #[test]
    fn a_level_is_never_less_than_asked_for() {
        let level = |least, asked| places(least).level(asked);
        assert_eq!(level(Some(Level::L3), Some(Level::L1)), Ok(Some(Level::L3)));
        assert_eq!(level(Some(Level::L1), Some(Level::L2)), Ok(Some(Level::L2)));
        assert_eq!((level(Some(Level::L1), None), level(None, None)), (Ok(Some(Level::L1)), Ok(None)));
        assert!(level(None, Some(Level::L2)).is_err_and(|why| why.contains("L2") && why.contains("NOFX_ISOLATION=none")));
    }

    #[test]
    fn toolchains_that_are_not_there_or_cannot_be_hidden_are_refused() {
        let refused = |level, toolchains| {
            let process = Process { level, toolchains, ..process(Limits::default()) };
            places(None).spec(process, vec![], "/s".as_ref()).expect_err("refused")
        };
        let rust = nofx_shared::drivers::Toolchain::try_from("rust".to_owned()).expect("a name");
        assert!(refused(Some(Level::L2), Some(vec![rust])).contains("no toolchain `rust`"));
        for level in [None, Some(Level::L1)] {
            assert!(refused(level, Some(vec![])).contains("need L2"), "{level:?}");
        }
        let process = Process { level: Some(Level::L2), toolchains: Some(vec![]), ..process(Limits::default()) };
        assert_eq!(places(None).spec(process, vec![], "/s".as_ref()).expect("a spec").toolchains, Some(vec![]));
    }

    #[test]
    fn a_script_is_no_argument() {
        let spec = places(None).spec(process(Limits::default()), vec![], "/s".as_ref()).expect("a spec");
        assert_eq!(spec.argv, ["bash", "/s/script"]);
        assert!(!serde_json::to_string(&spec).expect("JSON").contains("secret"));
    }

    #[test]
    fn all_of_a_step_has_a_limit_of_memory_whatever_it_asks_for() {
        let total = |limits| places(None).spec(process(limits), vec![], "/s".as_ref()).expect("a spec").limits.total_memory_mb;
        assert_eq!(total(Limits::default()), Some(900));
        assert_eq!(total(Limits { memory_mb: Some(64), ..Limits::default() }), Some(64));
    }
}
