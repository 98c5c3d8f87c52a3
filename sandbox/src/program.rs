//! This program, which starts itself by other names: see `role`.

/// Also where its path cannot be reached any more.
pub(crate) const PROGRAM: &str = "/proc/self/exe";
/// The name that a keeper is started by.
pub(crate) const KEEPER: &str = "nofx-keeper";
/// The name that the process is started by which sends a signal to all processes of its user.
pub(crate) const SIGNALLER: &str = "nofx-signaller";
