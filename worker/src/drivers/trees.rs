//! Workspaces as data: a process of its own lists, packs or unpacks one, with the rights of its user for files. It waits for no permit: steps
//! that run must be able to end.

use std::fs::File;
use std::path::Path;

use nofx_sandbox::{Sandbox, TreeOp};
use nofx_shared::engine::Failure;

use super::Processes;

impl Processes {
    /// See `TreeOp` for what is read and written. No other process may run in the folder.
    pub(crate) async fn tree(&self, folder: &Path, op: TreeOp, input: File, output: File) -> Result<(), Failure> {
        let (sandbox, folder) = (self.supervisor().cloned(), folder.to_owned());
        let work = move || match sandbox {
            Some(sandbox) => sandbox.tree(&folder, op, &input, &output),
            None => Sandbox::own_tree(&folder, &op, input, output),
        };
        let done = tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string()).flatten();
        done.map_err(|why| Failure::transient(format!("workspace: {why}")))
    }
}
