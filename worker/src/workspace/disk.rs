//! How much disk workspaces use, and which ones go when it is too much. One that cannot be measured counts as if a step had filled it: what
//! keeps it from being measured may be the step's own doing. What a step's user hides from itself (a folder that it may not read) is not
//! counted.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nofx_shared::engine::Failure;
use nofx_shared::secrets::Mask;
use tokio_util::sync::CancellationToken;

use super::Folder;
use crate::drivers::{Command, DISK_MB, Executable, LiveOutput, Place, ProcessResult, Processes, tail};

/// For one folder; a step can make millions of files.
const LIMIT: Duration = Duration::from_secs(60);
/// How much of `du`'s words is in a failure.
const WHY_BYTES: usize = 2 << 10;
/// What a workspace counts that was not measured: the most that a step leaves there unless it was allowed more.
const UNMEASURED_BYTES: u64 = DISK_MB << 20;

/// What was measured last.
pub(super) struct Disk {
    /// The most that all workspaces may use, in bytes; none: no limit.
    most: Option<u64>,
    measured: Mutex<HashMap<PathBuf, Measured>>,
    total: AtomicU64,
    /// Of those that steps use: what does not go.
    in_use: AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measured {
    pub bytes: u64,
    /// No step used it, so that it does not change until one does.
    pub is_last: bool,
}

impl Disk {
    pub(super) fn new(most: Option<u64>) -> Self {
        Self { most, measured: Mutex::default(), total: AtomicU64::new(0), in_use: AtomicU64::new(0) }
    }

    /// Whether a step may have a new workspace here. It may be used up by then: disk is measured from time to time.
    pub(super) fn check_room(&self) -> Result<(), Failure> {
        let in_use = self.in_use.load(Ordering::Relaxed);
        match self.most {
            Some(most) if in_use > most => Err(Failure::transient(format!(
                "workspace: those that steps use have {} MiB on this worker, NOFX_WORKSPACES_MB is {}; retry when one has ended",
                in_use >> 20,
                most >> 20
            ))),
            _ => Ok(()),
        }
    }

    /// What is known of a workspace.
    pub(super) fn known(&self, path: &Path) -> Option<Measured> {
        self.measured.lock().expect("the lock is never poisoned").get(path).copied()
    }

    /// A step begins to use it.
    pub(super) fn changes(&self, path: &Path) {
        if let Some(known) = self.measured.lock().expect("the lock is never poisoned").get_mut(path) {
            known.is_last = false;
        }
    }

    /// Replaces all that is known; `found` has none for a workspace that could not be measured. Returns the workspaces that must go so that
    /// the rest fits: of those that no step uses, those of runs that have ended first, of these the oldest.
    pub(super) fn update(
        &self,
        found: HashMap<PathBuf, Option<u64>>,
        in_use: &HashSet<PathBuf>,
        unfinished: &HashSet<PathBuf>,
    ) -> Vec<PathBuf> {
        let mut known = self.measured.lock().expect("the lock is never poisoned");
        let measure = |(path, found): (PathBuf, Option<u64>)| {
            let bytes = found.unwrap_or_else(|| known.get(&path).map_or(0, |known| known.bytes).max(UNMEASURED_BYTES));
            let is_last = found.is_some() && !in_use.contains(&path);
            (path, Measured { bytes, is_last })
        };
        let measured: HashMap<PathBuf, Measured> = found.into_iter().map(measure).collect();
        let total = measured.values().fold(0_u64, |sum, one| sum.saturating_add(one.bytes));
        // Their names begin with the ids of runs, which sort by time.
        let idle = measured.iter().filter(|(path, _)| !in_use.contains(*path));
        let idle: Idle = idle.map(|(path, one)| ((unfinished.contains(path), path.clone()), one.bytes)).collect();
        *known = measured;
        drop(known);
        self.total.store(total, Ordering::Relaxed);
        let freed = idle.values().fold(0_u64, |sum, bytes| sum.saturating_add(*bytes));
        self.in_use.store(total.saturating_sub(freed), Ordering::Relaxed);
        self.most.map(|most| surplus(idle, total, most)).unwrap_or_default()
    }

    /// A workspace is gone.
    pub(super) fn remove(&self, path: &Path) {
        if let Some(Measured { bytes, .. }) = self.measured.lock().expect("the lock is never poisoned").remove(path) {
            // Only one job changes it.
            self.total.store(self.total.load(Ordering::Relaxed).saturating_sub(bytes), Ordering::Relaxed);
        }
    }

    /// Bytes of all workspaces, and how many there are.
    pub(super) fn usage(&self) -> (u64, usize) {
        (self.total.load(Ordering::Relaxed), self.measured.lock().expect("the lock is never poisoned").len())
    }
}

/// Bytes of those that no step uses, by whether their run goes on, and their path.
type Idle = BTreeMap<(bool, PathBuf), u64>;

/// The first of these, until the rest of the total fits.
fn surplus(idle: Idle, mut total: u64, most: u64) -> Vec<PathBuf> {
    let is_needed = |(_, bytes): &((bool, PathBuf), u64)| {
        let is_too_much = total > most;
        total = total.saturating_sub(*bytes);
        is_too_much
    };
    idle.into_iter().take_while(is_needed).map(|((_, path), _)| path).collect()
}

/// Bytes on disk of a folder and all that is in it, as its user sees it.
pub(super) async fn measure(processes: &Processes, folder: &Folder) -> Result<u64, Failure> {
    let stop = CancellationToken::new();
    let argv = ["du", "--summarize", "--block-size=1", "--one-file-system", "--", "."].map(str::to_owned).to_vec();
    let command = Command {
        executable: Executable::Argv(argv),
        root: folder.root().to_owned(),
        dir: folder.path().to_owned(),
        env: BTreeMap::new(),
        place: Place::Here,
        confinement: processes.of_worker(),
        egress: None,
        trace: None,
        stop: stop.clone(),
        max_output_bytes: 64 << 10,
        live_output: LiveOutput::default(),
        mask: Mask::default(),
    };
    // Programs of steps may have all of the room for hours: then most of all it must be known what they leave.
    let mut running = std::pin::pin!(processes.run_now(command));
    let result = tokio::select! {
        result = &mut running => result?,
        () = tokio::time::sleep(LIMIT) => {
            stop.cancel();
            running.await?;
            return Err(Failure::transient(format!("du did not end within {} s", LIMIT.as_secs())));
        }
    };
    sum(&result).map_err(Failure::transient)
}

/// What `du` found. It says by its exit code that it could not read a folder, or that files went while it counted; the sum is that of the rest.
fn sum(result: &ProcessResult) -> Result<u64, String> {
    let found = bytes(&result.stdout).filter(|_| result.exit_code.is_some());
    found.ok_or_else(|| format!("du failed: {}", tail(result.output.trim(), WHY_BYTES)))
}

/// The sum, from `du`'s line.
fn bytes(line: &str) -> Option<u64> {
    line.split_once('\t').filter(|(_, path)| path.trim_end() == ".")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::path::PathBuf;

    use nofx_shared::secrets::Mask;
    use tokio_util::sync::CancellationToken;

    use super::{Disk, Measured, UNMEASURED_BYTES, bytes, measure, sum};
    use crate::drivers::{Command, Confinement, Executable, LiveOutput, Place, ProcessResult, Processes};
    use crate::workspace::Folder;

    fn run(n: u128) -> PathBuf {
        PathBuf::from(format!("/w/{n:032}"))
    }

    fn none() -> HashSet<PathBuf> {
        HashSet::new()
    }

    #[test]
    fn those_of_runs_that_go_on_go_last() {
        let disk = Disk::new(Some(60));
        let measured = HashMap::from([(run(1), Some(30)), (run(2), Some(30)), (run(3), Some(30))]);
        let unfinished = HashSet::from([run(1)]);
        assert_eq!(disk.update(measured.clone(), &none(), &unfinished), [run(2)]);
        assert_eq!(Disk::new(Some(1)).update(measured, &none(), &unfinished), [run(2), run(3), run(1)]);
    }

    #[test]
    fn workspaces_that_no_step_uses_go_oldest_first_until_the_rest_fits() {
        let disk = Disk::new(Some(100));
        let measured = HashMap::from([(run(1), Some(30)), (run(2), Some(40)), (run(3), Some(50)), (run(4), Some(30))]);
        let in_use = HashSet::from([run(1)]);
        assert_eq!(
            disk.update(measured.clone(), &in_use, &none()),
            [run(2), run(3)],
            "110 are left without the second, 60 without the third"
        );
        assert!(disk.check_room().is_ok(), "they are going");
        disk.remove(&run(2));
        disk.remove(&run(3));
        assert_eq!(disk.usage(), (60, 2));
        assert_eq!(disk.known(&run(2)), None);
        assert_eq!(disk.known(&run(1)), Some(Measured { bytes: 30, is_last: false }), "it still changes");
        assert_eq!(disk.known(&run(4)), Some(Measured { bytes: 30, is_last: true }));
        disk.changes(&run(4));
        assert_eq!(disk.known(&run(4)), Some(Measured { bytes: 30, is_last: false }), "a step has it now");
        assert!(Disk::new(Some(150)).update(measured.clone(), &in_use, &none()).is_empty(), "it fits to the byte");
        assert!(Disk::new(None).update(measured, &in_use, &none()).is_empty(), "no limit");
    }

    #[test]
    fn a_workspace_that_a_step_uses_stays_and_no_other_is_made() {
        let disk = Disk::new(Some(100));
        let measured = HashMap::from([(run(1), Some(60)), (run(2), Some(41)), (run(3), Some(1))]);
        assert_eq!(disk.update(measured, &HashSet::from([run(1), run(2)]), &none()), [run(3)]);
        let failure = disk.check_room().expect_err("there is no room");
        assert!(failure.message.contains("NOFX_WORKSPACES_MB is 0"), "{}", failure.message);
    }

    #[test]
    fn one_that_cannot_be_measured_counts_as_full_and_is_measured_again() {
        let disk = Disk::new(Some(UNMEASURED_BYTES));
        assert_eq!(disk.update(HashMap::from([(run(1), None), (run(2), Some(1))]), &none(), &none()), [run(1)], "it is no empty one");
        assert_eq!(disk.known(&run(1)), Some(Measured { bytes: UNMEASURED_BYTES, is_last: false }));
        assert_eq!(disk.known(&run(2)), Some(Measured { bytes: 1, is_last: true }));
        // It was larger when it was measured last.
        let more = UNMEASURED_BYTES + 1;
        for found in [Some(more), None, None] {
            assert!(disk.update(HashMap::from([(run(1), found)]), &HashSet::from([run(1)]), &none()).is_empty(), "a step uses it");
            assert_eq!(disk.usage(), (more, 1));
        }
        assert!(disk.check_room().is_err());
        disk.update(HashMap::from([(run(1), Some(5))]), &none(), &none());
        assert_eq!(disk.known(&run(1)), Some(Measured { bytes: 5, is_last: true }));
    }

    #[test]
    fn what_du_printed_before_it_was_killed_is_no_sum() {
        let of = |exit_code, stdout: &str, stderr: &str| {
            let output = format!("{stderr}{stdout}");
            sum(&ProcessResult { exit_code, stdout: stdout.to_owned(), output, ..ProcessResult::default() }).ok()
        };
        assert_eq!(of(Some(0), "4096\t.\n", ""), Some(4096));
        assert_eq!(of(Some(1), "4096\t.\n", "du: cannot access './a': No such file or directory\n"), Some(4096), "it went meanwhile");
        assert_eq!(of(None, "4096\t.\n", ""), None, "it was killed");
        assert_eq!(of(Some(1), "", "du: memory exhausted\n"), None);
    }

    fn sleeping(dir: &std::path::Path, stop: &CancellationToken) -> Command {
        Command {
            executable: Executable::Argv(["sleep", "600"].map(str::to_owned).to_vec()),
            root: dir.to_owned(),
            dir: dir.to_owned(),
            env: std::collections::BTreeMap::new(),
            place: Place::Here,
            confinement: Confinement::NONE,
            egress: None,
            trace: None,
            stop: stop.clone(),
            max_output_bytes: 0,
            live_output: LiveOutput::default(),
            mask: Mask::default(),
        }
    }

    #[tokio::test]
    async fn programs_that_have_all_of_the_room_keep_nothing_from_being_measured() {
        let root = tempfile::tempdir().expect("a folder");
        let (processes, stop) = (Processes::own(), CancellationToken::new());
        let folder = Folder::new(&processes, root.path().to_owned()).expect("it is there");
        let measured = async {
            let measured = measure(&processes, &folder).await;
            stop.cancel();
            measured
        };
        // The first is polled first: it has the only permit.
        let (_, measured) = tokio::join!(processes.run(sleeping(root.path(), &stop)), measured);
        assert!(measured.is_ok(), "{measured:?}");
    }

    #[test]
    fn only_the_line_of_the_folder_is_a_sum() {
        assert_eq!(bytes("4096\t.\n"), Some(4096));
        for wrong in ["", "4096", "4096 .", "-1\t.\n", "x\t.\n", "5\t./a\n", "99999999999999999999\t.\n"] {
            assert_eq!(bytes(wrong), None, "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn a_folder_is_measured_by_the_blocks_that_it_has_not_by_what_its_files_claim() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("a/b")).expect("folders");
        std::fs::write(root.path().join("a/b/c"), vec![1; 3 << 20]).expect("written");
        std::fs::File::create(root.path().join("sparse")).and_then(|file| file.set_len(1 << 40)).expect("a terabyte of nothing");
        std::os::unix::fs::symlink("/", root.path().join("all")).expect("a link");
        let processes = Processes::own();
        let folder = Folder::new(&processes, root.path().to_owned()).expect("it is there");
        let used = measure(&processes, &folder).await.expect("a sum");
        assert!((3 << 20..4 << 20).contains(&used), "{used}");
    }
}
