//! A repository to push from that nothing of the run can change: it belongs to a user that has nothing else, has the run's commit and what
//! it is made from, and no settings but git's own. Whoever pushes from a workspace lets the `.git/config` that its steps wrote decide where
//! the token goes.

use std::io::Read;
use std::path::Path;

use nofx_sandbox::Files;
use nofx_shared::engine::Failure;

use crate::drivers::Scratch;
use crate::step::StepContext;
use crate::workspace::{Folder, Git};

/// Largest history that is pushed, compressed.
const BUNDLE_BYTES: u64 = 4 << 30;
/// The file that brings it, in both folders.
const BUNDLE: &str = "history.bundle";
/// Faults that commits of old programs have, which forges accept, too.
const OLD_FAULTS: [&str; 6] =
    ["badTimezone", "missingEmail", "missingNameBeforeEmail", "missingSpaceBeforeDate", "missingSpaceBeforeEmail", "zeroPaddedFilemode"];

pub(super) struct CleanRepository<'a> {
    step: &'a StepContext,
    folder: Folder,
    /// Removed with this.
    _scratch: Scratch,
}

impl<'a> CleanRepository<'a> {
    /// With nothing in it. `commit`: one that it is to take, whose length says by which hash objects are named.
    pub(super) async fn new(step: &'a StepContext, commit: &str) -> Result<Self, Failure> {
        let scratch = step.services.processes.scratch(None).await?;
        let folder = Folder::new(&step.services.processes, scratch.path().to_owned())?;
        let clean = Self { step, folder, _scratch: scratch };
        let format = if commit.len() == 64 { "sha256" } else { "sha1" };
        clean.git().run(&["init", "--quiet", "--bare", "--template=", "--object-format", format]).await?;
        Ok(clean)
    }

    /// Git in it, until the step is stopped.
    pub(super) fn git(&self) -> Git<'_> {
        let mut git = Git::new(self.step.caller().of_clean_folder(), &self.folder);
        let folder = self.folder.path().join("repository.git").to_string_lossy().into_owned();
        git.env.extend([("GIT_DIR", folder), ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned())].map(|(name, value)| (name.to_owned(), value)));
        git
    }

    /// Takes the commit that is checked out in a workspace, with its history. Git reads the workspace as the run's user and without a
    /// secret; whatever it brings is checked before anything else is done with it.
    pub(super) async fn take(&self, workspace: &Folder, commit: &str) -> Result<(), Failure> {
        let outbox = self.step.services.processes.scratch(Some(workspace.path())).await?;
        let mut theirs = self.step.git(workspace);
        // The commit itself is pushed, not what the workspace says to show in its place.
        let plain = [("GIT_NO_REPLACE_OBJECTS", "1"), ("GIT_GRAFT_FILE", "/dev/null")];
        theirs.env.extend(plain.map(|(name, value)| (name.to_owned(), value.to_owned())));
        theirs.run(&["bundle", "create", "--quiet", &text(&outbox.path().join(BUNDLE)), "HEAD"]).await?;
        let (from, to) = (outbox.files()?, self.folder.files().clone());
        let copied = tokio::task::spawn_blocking(move || copy(&from, &to)).await;
        copied.map_err(|error| error.to_string()).flatten().map_err(|why| Failure::permanent(format!("the history {why}")))?;

        let git = self.git();
        git.run(&["bundle", "unbundle", &text(&self.folder.path().join(BUNDLE))]).await?;
        if git.commit(commit).await?.is_none() {
            return Err(Failure::transient("another commit was checked out while this one was read"));
        }
        let accepted = OLD_FAULTS.map(|fault| format!("fsck.{fault}=ignore"));
        let mut check: Vec<&str> = accepted.iter().flat_map(|fault| ["-c", fault]).collect();
        check.extend(["fsck", "--strict", "--no-dangling", "--no-reflogs", "--no-progress", commit]);
        let checked = git.try_run(&check).await?;
        if checked.exit_code == Some(0) {
            Ok(())
        } else {
            Err(Failure::permanent(format!("the history of {commit} is not valid: {}", checked.output.trim())))
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn copy(from: &Files, to: &Files) -> Result<(), String> {
    let bundle = from.open(BUNDLE)?.ok_or_else(|| "was not written".to_owned())?;
    let mut copy = to.create(BUNDLE)?;
    let copied = std::io::copy(&mut bundle.take(BUNDLE_BYTES), &mut copy).map_err(|error| format!("could not be copied: {error}"))?;
    if copied == BUNDLE_BYTES { Err(format!("is larger than {BUNDLE_BYTES} bytes")) } else { Ok(()) }
}
