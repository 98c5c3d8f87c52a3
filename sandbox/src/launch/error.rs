//! Why a program was not started.

use std::io;
use std::path::PathBuf;

use nofx_shared::drivers::{Level, Namespace};

/// Why a program was not started. Nothing of it has run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("descriptor {0} has no readable description of what to start: {1}")]
    NoSpec(i32, io::Error),
    #[error("descriptor {0} has no valid description of what to start: {1}")]
    BadSpec(i32, serde_json::Error),
    #[error("descriptor {0} cannot be written to: {1}")]
    NoReport(i32, io::Error),
    #[error("the description of what to start names no program")]
    NoProgram,
    #[error("level {0} is not one of this driver: L1, L2 and L3 are")]
    OtherLevel(Level),
    #[error("a program is not started as root: start the helper as the user of the program")]
    Root,
    #[error("a program is not started with capabilities: drop them before")]
    Capabilities,
    #[error("level L3 needs a {0:?} namespace of the program's own, and it has the one outside")]
    SharedNamespace(Namespace),
    #[error("the rules name {0:?}, which cannot be opened: {1}")]
    Path(PathBuf, io::Error),
    #[error("Landlock cannot enforce what level L2 needs (files, TCP ports, scopes: Linux 6.12 or later, with Landlock enabled): {0}")]
    Landlock(#[from] landlock::RulesetError),
    #[error("Landlock enforces only a part of the rules")]
    PartialLandlock,
    #[error("the seccomp filter was not accepted: {0}")]
    Seccomp(seccompiler::Error),
    /// One of the other measures.
    #[error("cannot {0}: {1}")]
    System(&'static str, io::Error),
    #[error("cannot execute `{0}`: {1}")]
    Exec(String, io::Error),
}
