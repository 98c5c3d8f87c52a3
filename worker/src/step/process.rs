//! Runs a step's processes with its trace and its stop, and streams their output meanwhile. How processes are started and killed is not
//! here: see `drivers`.

use std::collections::BTreeMap;

use nofx_shared::engine::Failure;

use super::StepContext;
use crate::dependencies::Given;
use crate::drivers::{Command, Executable, Home, LiveOutput, Place, ProcessResult, Processes};
use crate::workspace::Folder;

impl StepContext {
    /// Runs a program in a folder with this environment, until it ends or the step is stopped.
    pub(crate) async fn run(
        &self,
        executable: Executable,
        folder: &Folder,
        mut env: BTreeMap<String, String>,
    ) -> Result<ProcessResult, Failure> {
        env.extend(self.egress.iter().flat_map(|grant| grant.variables()));
        let output = LiveOutput::default();
        let (home, given) = self.home(folder, &env).await.unzip();
        let command = Command {
            executable,
            root: folder.root().to_owned(),
            dir: folder.path().to_owned(),
            env,
            place: self.place.clone(),
            confinement: self.confinement.clone(),
            egress: self.egress.clone(),
            trace: self.trace.clone(),
            stop: self.stop.clone(),
            max_output_bytes: Processes::OUTPUT_BYTES,
            live_output: output.clone(),
            mask: self.mask.clone(),
        };
        tokio::select! {
            result = self.services.processes.run_in(home, command) => {
                let mut result = result?;
                self.sandboxed.lock().expect("the lock is never poisoned").add(result.enforced.as_ref(), result.usage.clone());
                let left = result.home.take().filter(|_| result.exit_code == Some(0));
                if let (Some(given), Some(left)) = (given, left) {
                    // The home is removed when its files are taken over.
                    self.services.dependencies.off_loop(move |cache| cache.take(&given, &left.files())).await;
                }
                Ok(result)
            }
            () = self.stream_log(&output) => Err(Failure::transient("the log stream of the process ended early")),
        }
    }

    /// A home with files that lock files in the folder name, when there are such; what is not given is downloaded.
    async fn home(&self, folder: &Folder, env: &BTreeMap<String, String>) -> Option<(Home, Given)> {
        let cache = self.services.dependencies.if_on().filter(|_| matches!(self.place, Place::Here))?;
        let (tenant, locks, env) = (self.step.tenant_id, folder.files().clone(), env.clone());
        let wanted = cache.off_loop(move |cache| cache.wanted(&locks, &env)).await??;
        let home = self.services.processes.home(folder.path()).await?;
        let files = home.files()?;
        let given = cache.off_loop(move |cache| cache.give(tenant, wanted, &files)).await?;
        Some((home, given))
    }
}
