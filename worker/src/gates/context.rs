//! What a gate may reach: the workspace, git and the tools of the repository. Whether a step of a run or a person at a working tree asks
//! for the verdict, gates do not know.

use std::collections::BTreeMap;
use std::path::Path;

use nofx_shared::engine::Failure;
use nofx_shared::secrets::Mask;
use tokio_util::sync::CancellationToken;

use crate::drivers::{Command, Confinement, Executable, LiveOutput, Place, ProcessResult, Processes, tail};
use crate::step::StepContext;
use crate::workspace::{Begun, Caller, Folder, Git};

/// The workspace that a gate judges, and how it runs processes there.
pub(crate) struct GateContext<'a> {
    pub workspace: Folder,
    /// The environment of the gate's processes.
    pub env: &'a BTreeMap<String, String>,
    pub mask: &'a Mask,
    /// The folder of the operator's database of advisories for Rust.
    pub advisory_db: Option<&'a Path>,
    pub runner: Runner<'a>,
    /// What the step began with; none: it is found out when it is asked for.
    pub begun: Option<&'a Begun>,
}

/// What runs the processes of a gate.
pub(crate) enum Runner<'a> {
    /// A step: its log shows what they print while they run.
    Step(&'a StepContext),
    /// A person's command: no one watches them.
    OnTheSpot { processes: &'a Processes, stop: &'a CancellationToken },
}

impl<'a> GateContext<'a> {
    /// The workspace of a step's run.
    pub(crate) async fn of_step(step: &'a StepContext) -> Result<Self, Failure> {
        let (begun, advisory_db) = (step.begun().await?, step.services.advisory_db.as_deref());
        let (workspace, runner) = (begun.folder().clone(), Runner::Step(step));
        Ok(Self { workspace, env: &step.env, mask: &step.mask, advisory_db, runner, begun: Some(begun) })
    }

    pub(crate) fn git<'b>(&'b self, folder: &'b Folder) -> Git<'b> {
        match &self.runner {
            Runner::Step(step) => step.git(folder),
            Runner::OnTheSpot { processes, stop } => Git::new(Caller::person(processes, stop), folder),
        }
    }

    /// Names of the variables that the plan sets.
    pub(crate) fn plan_env(&self) -> Vec<String> {
        match &self.runner {
            Runner::Step(step) => step.step.spec.env.keys().cloned().collect(),
            Runner::OnTheSpot { .. } => vec![],
        }
    }

    /// The image that the plan names.
    pub(crate) fn plan_image(&self) -> Option<String> {
        match &self.runner {
            Runner::Step(step) => step.step.spec.image.as_ref().map(|image| image.as_str().to_owned()),
            Runner::OnTheSpot { .. } => None,
        }
    }

    /// The repository that the run's workspace is from, and for whom git asks it.
    pub(crate) fn remote(&self) -> Option<(&str, Caller)> {
        match &self.runner {
            Runner::Step(step) => step.step.workspace.as_ref().map(|source| (source.git.as_str(), step.caller().for_checkout())),
            Runner::OnTheSpot { .. } => None,
        }
    }

    pub(crate) fn processes(&self) -> &Processes {
        match &self.runner {
            Runner::Step(step) => &step.services.processes,
            Runner::OnTheSpot { processes, .. } => processes,
        }
    }

    /// A folder of the workspace; without a name its root.
    pub(crate) async fn folder(&self, name: Option<&str>) -> Result<Folder, Failure> {
        self.workspace.below(self.processes(), name).await
    }

    /// Runs a program in a folder of the workspace.
    pub(crate) async fn run(&self, executable: Executable, folder: &Folder) -> Result<ProcessResult, Failure> {
        self.run_with(executable, folder, self.env.clone()).await
    }

    /// Runs a program in a folder of the workspace with another environment.
    pub(crate) async fn run_with(
        &self,
        executable: Executable,
        folder: &Folder,
        env: BTreeMap<String, String>,
    ) -> Result<ProcessResult, Failure> {
        let result = match &self.runner {
            Runner::Step(step) => step.run(executable, folder, env).await?,
            Runner::OnTheSpot { processes, stop } => {
                let command = Command {
                    executable,
                    root: folder.root().to_owned(),
                    dir: folder.path().to_owned(),
                    env,
                    place: Place::Here,
                    confinement: Confinement::NONE,
                    egress: None,
                    trace: None,
                    stop: (*stop).clone(),
                    max_output_bytes: Processes::OUTPUT_BYTES,
                    live_output: LiveOutput::default(),
                    mask: self.mask.clone(),
                };
                processes.run(command).await?
            }
        };
        if self.stop().is_cancelled() { Err(Failure::interrupted()) } else { Ok(result) }
    }

    /// Cancelled when the gate is stopped or its time is up.
    pub(crate) fn stop(&self) -> &CancellationToken {
        match &self.runner {
            Runner::Step(step) => &step.stop,
            Runner::OnTheSpot { stop, .. } => stop,
        }
    }

    /// The last bytes of what a program printed, masked before they are cut: the rest of a secret would no longer be found.
    pub(crate) fn end_of(&self, output: &str, bytes: usize) -> String {
        tail(&self.mask.apply(output.trim()), bytes).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nofx_shared::secrets::Mask;
    use tokio_util::sync::CancellationToken;

    use super::{GateContext, Runner};
    use crate::drivers::{Executable, Processes};
    use crate::workspace::Folder;

    #[tokio::test]
    async fn no_part_of_a_secret_stays_where_the_output_of_a_tool_is_cut() {
        let dir = tempfile::tempdir().expect("a folder");
        let (processes, stop) = (Processes::own(), CancellationToken::new());
        let workspace = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
        let mask = Mask::new(["hunter2-hunter2".to_owned()]);
        let env = BTreeMap::new();
        let runner = Runner::OnTheSpot { processes: &processes, stop: &stop };
        let context = GateContext { workspace: workspace.clone(), env: &env, mask: &mask, advisory_db: None, runner, begun: None };
        // The output ends one byte before the secret does.
        let script = format!("head -c {} /dev/zero | tr '\\0' o; printf 'hunter2-hunter2 and more'", Processes::OUTPUT_BYTES - 14);
        let result = context.run(Executable::script(&script), &workspace).await.expect("it ran");
        assert_eq!((result.exit_code, result.dropped_bytes), (Some(0), 10));
        assert!(!result.output.contains("hunter") && !result.stdout.contains("hunter"));
    }
}
