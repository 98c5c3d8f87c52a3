//! What a process may reach, as paths and ports.

use std::path::{Path, PathBuf};

use nofx_shared::drivers::{Level, Network};

use crate::launch::{Namespaces, Spec, Tcp};
use crate::wire::Process;

pub(super) struct Places {
    /// The least that a process gets, whatever is asked for; none: processes are not confined at all (`NOFX_ISOLATION=none`).
    pub least: Option<Level>,
    pub toolchains: Vec<PathBuf>,
    /// TCP ports for `Network::All`.
    pub ports: Vec<u16>,
    /// This program.
    pub exe: PathBuf,
    /// Those of the supervisor.
    pub outside: Namespaces,
}

impl Places {
    /// What a process gets that asks for a level: as the user of the worker nothing below namespaces keeps it from the worker.
    pub(super) fn level(&self, asked: Option<Level>) -> Option<Level> {
        self.least.map(|least| asked.map_or(least, |asked| asked.max(least)))
    }

    pub(super) fn spec(&self, process: Process, read_write: Vec<PathBuf>, scratch: &Path) -> Result<Spec, String> {
        let Process { argv, dir, mut env, level, limits, network, proxy_port } = process;
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        for name in ["HOME", "TMPDIR"] {
            env.entry(name.to_owned()).or_insert_with(|| text(scratch.to_owned()));
        }
        env.insert("NOFX_OUTPUT".to_owned(), text(scratch.join("output.json")));
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
            read_only: self.toolchains.clone(),
            scratch: scratch.to_owned(),
            exe: self.exe.clone(),
            outside: self.outside.clone(),
        })
    }
}
