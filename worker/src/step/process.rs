//! Runs a step's processes with its trace and its stop, and streams their output meanwhile. How processes are started and killed is not
//! here: see `drivers`.

use std::collections::BTreeMap;

use nofx_shared::engine::Failure;

use super::StepContext;
use crate::drivers::{Command, LiveOutput, ProcessResult, Processes};
use crate::workspace::Folder;

impl StepContext {
    /// Runs a program in a folder with this environment, until it ends or the step is stopped.
    pub(crate) async fn run(
        &self,
        argv: Vec<String>,
        folder: &Folder,
        mut env: BTreeMap<String, String>,
    ) -> Result<ProcessResult, Failure> {
        env.extend(self.egress.iter().flat_map(|grant| grant.variables()));
        let output = LiveOutput::default();
        let command = Command {
            argv,
            dir: folder.path().to_owned(),
            env,
            confinement: self.confinement,
            egress: self.egress.clone(),
            trace: self.trace.clone(),
            stop: self.stop.clone(),
            max_output_bytes: Processes::OUTPUT_BYTES,
            live_output: output.clone(),
            mask: self.mask.clone(),
        };
        tokio::select! {
            result = self.services.processes.run(command) => {
                let result = result?;
                self.sandboxed.lock().expect("the lock is never poisoned").add(result.enforced.as_ref(), result.usage.clone());
                Ok(result)
            }
            () = self.stream_log(&output) => Err(Failure::transient("the log stream of the process ended early")),
        }
    }
}
