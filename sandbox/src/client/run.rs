use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nofx_shared::drivers::{Level, Limits, Network, Toolchain};

use super::{Client, Files};
use crate::wire::{Answer, Ended, Process, Request};

/// A program to be run.
pub struct Program {
    pub argv: Vec<String>,
    /// A text that it gets as a file, which is its last argument: arguments can be read by all users of a machine.
    pub script: Option<String>,
    /// Its working folder, in a workspace or a scratch folder: whose that is, that user runs it.
    pub dir: PathBuf,
    /// Beside these it has `HOME`, `TMPDIR` and `NOFX_OUTPUT`, in a scratch folder of its own.
    pub env: BTreeMap<String, String>,
    pub level: Option<Level>,
    pub limits: Limits,
    pub network: Network,
    /// For `Network::Proxy`: the port of the egress proxy on loopback.
    pub proxy_port: Option<u16>,
    /// For `Network::Proxy`: the other end of a `Bridge`, which a program uses that has a network of its own.
    pub bridge: Option<OwnedFd>,
    /// The toolchains that it may read; none: all.
    pub toolchains: Option<Vec<Toolchain>>,
    /// Its scratch folder, of `Sandbox::prepare_scratch`; none: a new one.
    pub scratch: Option<PathBuf>,
}

/// A process, until this is dropped: then it is killed with all of its descendants, and its scratch folder is removed.
pub struct Running {
    client: Arc<Client>,
    id: u64,
    scratch: PathBuf,
}

impl Running {
    /// Starts a program; `on_end` is called once, from another thread.
    pub(crate) fn start(
        client: &Arc<Client>,
        program: Program,
        stdout: impl AsFd,
        stderr: impl AsFd,
        on_end: impl FnOnce(Result<Ended, String>) + Send + 'static,
    ) -> Result<Self, String> {
        let Program { argv, script, dir, env, level, limits, network, proxy_port, bridge, toolchains, scratch } = program;
        let request = Request::Run(Box::new(Process { argv, script, dir, env, level, limits, network, proxy_port, toolchains, scratch }));
        let mut descriptors = vec![stdout.as_fd(), stderr.as_fd()];
        descriptors.extend(bridge.as_ref().map(AsFd::as_fd));
        let (id, answer) = client.call_with(request, &descriptors, Some(Box::new(on_end)));
        match answer? {
            (Answer::Started { scratch }, _) => Ok(Self { client: Arc::clone(client), id, scratch }),
            _ => Err("the supervisor gave another answer".to_owned()),
        }
    }

    /// Kills it with all of its descendants; its end is still reported.
    pub fn stop(&self) {
        self.client.send(Request::Stop { run: self.id });
    }

    /// Its scratch folder: `output.json` is what it wrote to `NOFX_OUTPUT`.
    pub fn scratch(&self) -> Files {
        Files::of_supervisor(Arc::clone(&self.client), self.scratch.clone())
    }

    pub fn scratch_path(&self) -> &Path {
        &self.scratch
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.client.send(Request::Release { run: self.id });
    }
}
