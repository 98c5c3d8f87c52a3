use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ipnet::IpNet;
use nofx_shared::drivers::{Network, Usage};
use nofx_shared::engine::Failure;
use nofx_shared::secrets::Mask;
use tokio_util::sync::CancellationToken;

use super::folder::Folder;
use crate::drivers::{Command, Confinement, Executable, LiveOutput, Place, ProcessResult, Processes, Sandboxed};
use crate::egress::Grant;

/// For whom git runs in a workspace: how it is confined, and where what it uses is counted.
#[derive(Clone)]
pub(crate) struct Caller {
    pub processes: Processes,
    /// The caller's own. Git that speaks to no other repository has no network, whatever it says.
    pub confinement: Confinement,
    /// Private networks that it may reach.
    pub networks: Vec<IpNet>,
    /// The way out for `Network::Proxy`.
    pub egress: Option<Arc<Grant>>,
    /// Of the attempt.
    pub sandboxed: Arc<Mutex<Sandboxed>>,
    /// The programs of the attempt run on a machine of their own. Git does not: its time is none of that machine's, and how it is confined
    /// says nothing of them.
    pub has_machine: bool,
    /// Steps of a run may have written what is in the folder: it is searched for what git would wait for.
    pub is_folder_hostile: bool,
    pub stop: CancellationToken,
}

/// A program that runs for a caller.
pub(super) struct Program<'a> {
    pub argv: Vec<String>,
    pub folder: &'a Folder,
    pub dir: &'a Path,
    pub env: BTreeMap<String, String>,
    pub network: Network,
    /// Of its output; the rest is dropped.
    pub max_bytes: usize,
}

impl Caller {
    /// Whoever gave a command, with that person's rights.
    pub(crate) fn person(processes: &Processes, stop: &CancellationToken) -> Self {
        Self {
            processes: processes.clone(),
            confinement: Confinement::NONE,
            networks: vec![],
            egress: None,
            sandboxed: Arc::default(),
            has_machine: false,
            is_folder_hostile: false,
            stop: stop.clone(),
        }
    }

    /// With a direct way to other repositories: the workspace is its run's, so that one step's `resources.network` does not decide whether
    /// the next one has it. The folder is new.
    pub(crate) fn for_checkout(&self) -> Self {
        let confinement = Confinement { network: Network::All, ..self.confinement.clone() };
        Self { confinement, egress: None, is_folder_hostile: false, ..self.clone() }
    }

    /// For a folder that nobody but git writes to.
    pub(crate) fn of_clean_folder(self) -> Self {
        Self { is_folder_hostile: false, ..self }
    }

    /// Runs a program, confined and counted as the caller's own, until the caller is stopped.
    pub(super) async fn run(&self, program: Program<'_>) -> Result<ProcessResult, Failure> {
        let Program { argv, folder, dir, mut env, network, max_bytes } = program;
        let egress = self.egress.clone().filter(|_| network == Network::Proxy);
        env.extend(egress.iter().flat_map(|grant| grant.variables()));
        let command = Command {
            executable: Executable::Argv(argv),
            root: folder.root().to_owned(),
            dir: dir.to_owned(),
            env,
            place: Place::Here,
            confinement: Confinement { network, ..self.confinement.clone() },
            egress,
            trace: None,
            stop: self.stop.clone(),
            max_output_bytes: max_bytes,
            live_output: LiveOutput::default(),
            mask: Mask::default(),
        };
        let result = self.processes.run(command).await?;
        self.count(&result);
        if self.stop.is_cancelled() { Err(Failure::interrupted()) } else { Ok(result) }
    }

    fn count(&self, result: &ProcessResult) {
        let mut sandboxed = self.sandboxed.lock().expect("the lock is never poisoned");
        if self.has_machine {
            sandboxed.add_usage(result.usage.clone().map(|usage| Usage { wall_ms: 0, ..usage }));
        } else {
            sandboxed.add(result.enforced.as_ref(), result.usage.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::{Enforced, Level, Usage};
    use tokio_util::sync::CancellationToken;

    use super::Caller;
    use crate::drivers::{ProcessResult, Processes};

    fn counted(has_machine: bool) -> (Option<Option<Level>>, Option<Usage>) {
        let caller = Caller { has_machine, ..Caller::person(&Processes::own(), &CancellationToken::new()) };
        let enforced = Enforced { level: Some(Level::L3), ..Enforced::default() };
        let usage = Usage { cpu_ms: 7, max_rss_bytes: 9, wall_ms: 11, ..Usage::default() };
        caller.count(&ProcessResult { enforced: Some(enforced), usage: Some(usage), ..ProcessResult::default() });
        let sandboxed = caller.sandboxed.lock().expect("never poisoned").clone();
        (sandboxed.isolation.map(|held| held.level), sandboxed.usage)
    }

    #[test]
    fn what_git_uses_is_counted_and_is_no_time_of_a_machine_that_is_paid_for() {
        let usage = |wall_ms| Some(Usage { cpu_ms: 7, max_rss_bytes: 9, wall_ms, ..Usage::default() });
        assert_eq!(counted(false), (Some(Some(Level::L3)), usage(11)));
        assert_eq!(counted(true), (None, usage(0)));
    }
}
