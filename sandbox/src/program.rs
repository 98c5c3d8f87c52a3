//! This program, which starts itself by other names: see `role`.

/// Also where its path cannot be reached any more.
pub(crate) const PROGRAM: &str = "/proc/self/exe";
/// The name that a keeper is started by.
pub(crate) const KEEPER: &str = "nofx-keeper";
/// The name that a keeper starts its helper by, which becomes the program.
pub(crate) const HELPER: &str = "nofx-helper";
/// The name that the process is started by which removes a folder.
pub(crate) const REMOVER: &str = "nofx-remover";
/// The name that the process is started by which sends a signal to all processes of its user.
pub(crate) const SIGNALLER: &str = "nofx-signaller";
/// The name that the process is started by which lists, packs or unpacks a workspace.
pub(crate) const TREE: &str = "nofx-tree";
