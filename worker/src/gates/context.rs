//! What a gate may reach: its step, the workspace, git and the tools of the repository.

use std::path::{Path, PathBuf};

use nofx_shared::engine::Failure;

use crate::drivers::{ProcessResult, tail};
use crate::step::StepContext;
use crate::workspace::Git;

/// The step and the workspace that a gate judges.
pub(crate) struct GateContext<'a> {
    pub step: &'a StepContext,
    pub workspace: PathBuf,
}

impl GateContext<'_> {
    pub(crate) fn git<'a>(&'a self, dir: &'a Path) -> Git<'a> {
        Git::new(&self.step.services.processes, dir, self.step.stop.clone())
    }

    /// Runs a program in a folder of the workspace with the step's environment.
    pub(crate) async fn run(&self, argv: Vec<String>, dir: &Path) -> Result<ProcessResult, Failure> {
        let step = self.step;
        let result = step.run(argv, dir, step.env.clone()).await?;
        if step.stop.is_cancelled() { Err(Failure::interrupted()) } else { Ok(result) }
    }

    /// The last bytes of what a program printed, masked before they are cut: the rest of a secret would no longer be found.
    pub(crate) fn end_of(&self, output: &str, bytes: usize) -> String {
        tail(&self.step.mask.apply(output.trim()), bytes).to_owned()
    }
}
