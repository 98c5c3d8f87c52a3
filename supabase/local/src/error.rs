//! Errors when the stack starts or stops; every message says what to do.

use std::path::PathBuf;
use std::time::Duration;

/// How long a service may take to start: it waits for nothing but a machine that has much else to do.
pub(crate) const READY_TIMEOUT: Duration = Duration::from_secs(120);

/// Why the embedded stack could not start, or could not continue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{tool} was not found; run `npm ci` in {root} (or scripts/bootstrap-dev.sh)")]
    MissingTool { tool: &'static str, root: PathBuf },
    #[error("{tool} is not on the PATH; install it (Debian: apt-get install {package}; scripts/bootstrap-dev.sh --tests does)")]
    NotOnPath { tool: &'static str, package: &'static str },
    #[error(
        "moto_server, an emulator of AWS, was not found; scripts/bootstrap-dev.sh --tests installs it (or: pip install 'moto[server]')"
    )]
    NoEmulator,
    #[error("no NOFX checkout here: run this inside the repository (looked for supabase/migrations from {0} upwards)")]
    NoCheckout(PathBuf),
    #[error("port {port} is in use; stop the process that listens there or pass {flag}")]
    PortTaken { port: u16, flag: &'static str },
    #[error("{dir} was created by another version of the schema; pass --fresh to delete its data and recreate it, or another --data-dir")]
    OtherVersion { dir: PathBuf },
    #[error("{dir} is in use by another nofx (pid {pid}); stop it or pass another --data-dir")]
    InUse { dir: PathBuf, pid: i32 },
    #[error("{what} failed: {output}")]
    Failed { what: String, output: String },
    #[error("{what} did not become ready within {} s; its log is {log}", READY_TIMEOUT.as_secs())]
    NotReady { what: &'static str, log: PathBuf },
    #[error("{what} {path}")]
    Io {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the database refused {what}")]
    Database {
        what: &'static str,
        #[source]
        source: tokio_postgres::Error,
    },
}

impl Error {
    pub(crate) fn failed(what: impl Into<String>, output: &(impl std::fmt::Display + ?Sized)) -> Self {
        Self::Failed { what: what.into(), output: output.to_string() }
    }
}

/// Adds the action and the path to an I/O error.
pub(crate) trait At<T> {
    fn at(self, what: &'static str, path: impl Into<PathBuf>) -> Result<T, Error>;
}

impl<T> At<T> for Result<T, std::io::Error> {
    fn at(self, what: &'static str, path: impl Into<PathBuf>) -> Result<T, Error> {
        self.map_err(|source| Error::Io { what, path: path.into(), source })
    }
}
