//! Runs a step's processes with its trace and its stop, and streams their output meanwhile. How processes are started and killed is not
//! here: see `drivers`.

use std::collections::BTreeMap;

use nofx_shared::engine::Failure;

use super::StepContext;
use crate::drivers::{Command, Executable, LiveOutput, ProcessResult, Processes};
use crate::workspace::Folder;

impl StepContext {
    /// Runs a program in a folder with this environment, until it ends or the step is stopped.
    pub(crate) async fn run(
        &self,
        executable: Executable,
        folder: &Folder,
        env: BTreeMap<String, String>,
    ) -> Result<ProcessResult, Failure> {
        let output = LiveOutput::default();
        let command = Command {
            executable,
            root: folder.root().to_owned(),
            dir: folder.path().to_owned(),
            env,
            place: self.place.clone(),
            confinement: self.confinement,
            trace: self.trace.clone(),
            stop: self.stop.clone(),
            max_output_bytes: Processes::OUTPUT_BYTES,
            live_output: output.clone(),
            mask: self.mask.clone(),
        };
        tokio::select! {
            result = self.services.processes.run(command) => {
                let result = result?;
                self.sandboxed.lock().expect("the lock is never poisoned").add(result.enforced.as_ref(), result.usage);
                Ok(result)
            }
            () = self.stream_log(&output) => Err(Failure::transient("the log stream of the process ended early")),
        }
    }
}
