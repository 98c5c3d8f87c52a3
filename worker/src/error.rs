//! Why a worker could not start. Errors of a running worker are not here: its loops log them and continue.

/// Why a worker could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not use {path} for workspaces")]
    Folder {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("could not listen on port {port}; set another one with NOFX_ADMIN_PORT")]
    Port {
        port: u16,
        #[source]
        source: std::io::Error,
    },
    #[error("could not serve the worker of the step: {0}")]
    Task(std::io::Error),
    #[error("NOFX_ENCRYPTION_KEYS: {0} (`id:base64 of 32 bytes`; create a key: openssl rand -base64 32)")]
    Keys(String),
    #[error("could not listen for signals")]
    Signals(#[source] std::io::Error),
}
