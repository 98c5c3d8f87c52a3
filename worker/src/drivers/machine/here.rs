//! Programs of this machine that move files of a workspace: as its user, confined, without a network.

use std::path::{Path, PathBuf};

use nofx_shared::engine::Failure;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use crate::drivers::confined::Started;
use crate::drivers::{Processes, tail};

/// How much of standard error is in a failure.
const STDERR_BYTES: usize = 2 << 10;

/// A folder of this machine, and how much may be moved.
pub(super) struct Here<'a> {
    pub processes: &'a Processes,
    pub root: &'a Path,
    /// In MiB.
    pub limit_mb: u64,
}

/// A program that moves files. It ends when this is dropped.
pub(super) struct Mover {
    started: Started,
    name: String,
    stderr: JoinHandle<Vec<u8>>,
    limit_mb: u64,
    _permit: OwnedSemaphorePermit,
}

impl Here<'_> {
    pub(super) fn limit_bytes(&self) -> u64 {
        self.limit_mb << 20
    }

    pub(super) async fn start(&self, argv: &[&str]) -> Result<Mover, Failure> {
        let argv: Vec<String> = argv.iter().map(|text| (*text).to_owned()).collect();
        let name = argv.first().cloned().unwrap_or_default();
        let (mut started, permit) = self.processes.start_mover(argv, PathBuf::from(self.root), self.limit_mb).await?;
        let stderr = tokio::spawn(first_bytes(started.stderr.take()));
        Ok(Mover { started, name, stderr, limit_mb: self.limit_mb, _permit: permit })
    }
}

impl Mover {
    /// What it prints. The first call has it.
    pub(super) fn stdout(&mut self) -> Result<impl AsyncRead + Send + Unpin + use<>, Failure> {
        self.started.stdout.take().ok_or_else(|| Failure::transient(format!("the output of `{}` cannot be read", self.name)))
    }

    /// Waits until it has ended; an error unless it ended well.
    pub(super) async fn end(self) -> Result<(), Failure> {
        let Self { started, name, stderr, limit_mb, _permit } = self;
        let ended = started.ended.await.map_err(|_| "the supervisor of this worker is gone".to_owned()).flatten();
        let ended = ended.map_err(|why| Failure::transient(format!("could not start `{name}`: {why}")))?;
        drop(started.running);
        if ended.exit_code == Some(0) {
            return Ok(());
        }
        if ended.exit_code.is_none() {
            // It would be the same again, and a machine is paid for.
            let excess =
                ended.excess.unwrap_or_else(|| format!("was ended by a signal, as a rule since a file has more than {limit_mb} MiB"));
            let why = format!("`{name}` could not move the files of the workspace: it {excess} (`resources.disk_mb`)");
            return Err(Failure::permanent(why));
        }
        let stderr = stderr.await.unwrap_or_default();
        let why = String::from_utf8_lossy(&stderr);
        Err(Failure::transient(format!("`{name}` could not move the files of the workspace: {}", tail(why.trim(), STDERR_BYTES))))
    }
}

/// The first bytes of a stream, which is read to its end.
async fn first_bytes(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let Some(mut stream) = stream else { return vec![] };
    let (mut all, mut chunk) = (vec![], vec![0; 4 << 10]);
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        let taken = STDERR_BYTES.saturating_sub(all.len()).min(read);
        all.extend_from_slice(&chunk[..taken]);
    }
    all
}
