//! What a keeper does with a program and all that it starts.
#![expect(clippy::disallowed_methods, reason = "starts keepers, as the supervisor does")]

use std::collections::BTreeSet;
use std::io::{IoSlice, PipeReader, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nofx_shared::drivers::{Level, Limits};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::Uid;
use rustix::net::{AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType};
use serde_json::{Value, json};

use crate::program::{LEVELS, Program};

/// A program with its keeper, as the supervisor has it.
struct Process {
    program: Program,
    socket: OwnedFd,
    keeper: Child,
    stdout: PipeReader,
}

impl Process {
    fn start(program: Program) -> Self {
        Self::start_as(program, true, None)
    }

    fn start_as(program: Program, is_confined: bool, group: Option<&Path>) -> Self {
        let (socket, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).expect("a pair");
        let mut command = Command::new(&program.spec.exe);
        command.arg0("nofx-keeper").env_clear().stdin(Stdio::from(theirs)).stdout(Stdio::null()).process_group(0);
        let keeper = command.spawn().expect("a keeper");
        let (stdout, output) = std::io::pipe().expect("a pipe");
        rustix::fs::fchown(&output, Some(Uid::from_raw(program.uid)), None).expect("own");
        let process = Self { program, socket, keeper, stdout };
        let spec = json!({"uid": process.program.uid, "program": process.program.spec, "group": group, "is_confined": is_confined});
        process.send_with(&json!({"Start": spec}), &[output.as_fd(), std::io::stderr().as_fd()]);
        process
    }

    fn send(&self, message: &Value) {
        self.send_with(message, &[]);
    }

    fn send_with(&self, message: &Value, descriptors: &[BorrowedFd<'_>]) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        assert!(descriptors.is_empty() || ancillary.push(SendAncillaryMessage::ScmRights(descriptors)));
        let text = format!("{message}\n");
        rustix::net::sendmsg(&self.socket, &[IoSlice::new(text.as_bytes())], &mut ancillary, SendFlags::NOSIGNAL).expect("sent");
    }

    fn end(&self) -> Value {
        let report = self.report();
        assert!(report["Ended"].is_object(), "{report}");
        report["Ended"].clone()
    }

    /// What it reports at the end. It is waited for, but not for ever.
    fn report(&self) -> Value {
        let mut polled = [PollFd::new(&self.socket, PollFlags::IN)];
        let minutes = Timespec { tv_sec: 120, tv_nsec: 0 };
        assert_eq!(rustix::event::poll(&mut polled, Some(&minutes)).expect("polled"), 1, "it does not end");
        let mut packet = vec![0; 32 << 10];
        let (bytes, _) = rustix::net::recv(&self.socket, &mut packet, RecvFlags::empty()).expect("a report");
        serde_json::from_slice(&packet[..bytes]).expect("JSON")
    }

    /// Why it was not started.
    fn refusal(&self) -> String {
        let report = self.report();
        report["Failed"].as_str().unwrap_or_else(|| panic!("{report}")).to_owned()
    }

    /// Waits for its first output.
    fn has_begun(&mut self) {
        self.stdout.read_exact(&mut [0]).expect("it says so");
    }

    fn release(mut self) {
        self.send(&json!("Release"));
        assert!(self.keeper.wait().expect("it ends").success());
        assert!(!self.program.spec.scratch.exists(), "its folder is gone");
    }

    /// What it printed, to its end.
    fn output(&mut self) -> String {
        let mut text = String::new();
        self.stdout.read_to_string(&mut text).expect("text");
        text
    }
}

/// Whatever a test has found, nothing of it goes on.
impl Drop for Process {
    fn drop(&mut self) {
        let mut all = Command::new(&self.program.spec.exe);
        all.arg0("nofx-signaller").arg("9").uid(self.program.uid).gid(self.program.uid);
        drop(all.stdout(Stdio::null()).stderr(Stdio::null()).status());
    }
}

/// Processes of a user; what has ended and was not reaped has none any more.
fn processes(uid: u32) -> BTreeSet<String> {
    let entries = std::fs::read_dir("/proc").expect("processes").flatten();
    let of_user = entries.filter(|entry| entry.metadata().is_ok_and(|meta| meta.uid() == uid));
    of_user.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| name.parse::<u32>().is_ok()).collect()
}

fn perl(level: Level, source: &str, limits: Limits) -> Program {
    let mut program = Program::new(level, &["perl", "-e", source]);
    program.spec.limits = limits;
    program
}

/// Forks as fast as it can; each process is its own group and ends by no signal that it can ignore.
const DEAF: &str = "$SIG{$_} = 'IGNORE' for qw(HUP TERM INT CHLD); $| = 1; print 'x'; ";

#[test]
fn a_bomb_that_forks_as_fast_as_it_can_is_gone_when_it_is_stopped() {
    // All of them live; or each lives until its child does.
    for bomb in ["while (1) { fork; setpgrp }", "while (1) { my $child = fork; exit if $child; setpgrp }"] {
        for level in LEVELS {
            let limits = Limits { processes: Some(150), ..Limits::default() };
            let mut process = Process::start(perl(level, &format!("{DEAF}{bomb}"), limits));
            process.has_begun();
            process.send(&json!("Kill"));
            process.end();
            assert_eq!(processes(process.program.uid), BTreeSet::new(), "{level}: {bomb}");
            process.release();
        }
    }
}

#[test]
fn other_programs_of_the_user_go_on_when_a_bomb_is_stopped() {
    let bomb = format!("{DEAF}while (1) {{ my $child = fork; exit if $child }}");
    let neighbour = Program::new(Level::L1, &["sh", "-c", "echo; sleep 3; echo done"]);
    let mut program = perl(Level::L1, &bomb, Limits { processes: Some(150), ..Limits::default() });
    // Two programs of one run.
    for path in [&program.spec.scratch, program.workspace()] {
        std::os::unix::fs::chown(path, Some(neighbour.uid), Some(neighbour.uid)).expect("own");
    }
    program.uid = neighbour.uid;
    let mut neighbour = Process::start(neighbour);
    neighbour.has_begun();
    // Of root, and of the session that the keeper is in, too.
    let mut stopped = Command::new("sleep").arg("600").spawn().expect("it starts");
    let pid = nix::unistd::Pid::from_raw(stopped.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).expect("it is ours");
    let mut process = Process::start(program);
    process.has_begun();
    process.send(&json!("Kill"));
    process.end();
    let is_stopped = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it is there").contains("State:\tT");
    stopped.kill().and_then(|()| stopped.wait()).expect("it ends");
    assert!(is_stopped, "a process of somebody else goes on");
    assert_eq!(neighbour.end()["exit_code"], 0);
    assert_eq!(neighbour.output(), "done\n");
    assert_eq!(processes(process.program.uid), BTreeSet::new());
}

fn memory(mb: u64) -> Limits {
    Limits { total_memory_mb: Some(mb), ..Limits::default() }
}

fn python(level: Level, source: &str, limits: Limits) -> Process {
    let mut program = Program::new(level, &["python3", "-I", "-c", source]);
    program.spec.limits = limits;
    Process::start(program)
}

#[test]
fn what_all_processes_use_together_is_bounded() {
    let shared = "import mmap, time; m = mmap.mmap(-1, 300 << 20)\nfor n in range(0, 300 << 20, 4096): m[n] = 1\ntime.sleep(600)";
    let many =
        "import os, time\nfor _ in range(6):\n    if os.fork() == 0: b = bytearray(b'x') * (40 << 20); time.sleep(600)\ntime.sleep(600)";
    for level in LEVELS {
        for source in [shared, many] {
            let process = python(level, source, memory(128));
            let end = process.end();
            assert_eq!(end["excess"], "used more than 128 MiB of memory, all of its processes together", "{level}: {end}");
            assert_eq!((&end["exit_code"], &end["enforced"]["limits"]["total_memory_mb"]), (&Value::Null, &json!(128)), "{level}: {end}");
            assert_eq!(processes(process.program.uid), BTreeSet::new(), "{level}");
            process.release();
        }
    }
}

#[test]
fn a_session_of_a_program_leaves_the_processor_to_what_keeps_it() {
    // Where sessions are not scheduled as groups there is nothing to set.
    let file = "/proc/self/autogroup";
    if !std::path::Path::new(file).exists() {
        return;
    }
    // At L3 the kernel may refuse it: it is not root who asks.
    for level in [Level::L1, Level::L2] {
        let mut process = Process::start(Program::new(level, &["cat", file]));
        let text = process.output();
        assert!(text.trim_end().ends_with(" nice 5"), "{level}: {text}");
    }
}

#[test]
fn an_unconfined_program_has_the_rights_of_its_user_and_its_end_says_so() {
    let mut process = Process::start_as(Program::new(Level::L1, &["sh", "-c", "id -u; id -G; pwd; cat"]), false, None);
    let (uid, workspace) = (process.program.uid, process.program.workspace().to_owned());
    assert_eq!(process.output(), format!("{uid}\n{uid}\n{}\n", workspace.display()), "and there is nothing to read");
    let end = process.end();
    assert_eq!((&end["exit_code"], &end["enforced"]["level"], &end["enforced"]["uid"]), (&json!(0), &Value::Null, &json!(uid)), "{end}");
    assert_eq!((&end["enforced"]["driver"], &end["enforced"]["seccomp"]), (&json!("worker-container"), &Value::Null), "{end}");
    process.release();
    let mut missing = Process::start_as(Program::new(Level::L1, &["/no/such/program"]), false, None);
    assert_eq!(missing.output(), "");
    assert!(missing.refusal().contains("/no/such/program"));
}

#[test]
fn processor_time_of_all_processes_together_is_bounded() {
    let busy = "import os\nfor _ in range(3): os.fork()\nwhile True: pass";
    // One after the other, each far below the limit.
    let ended = "import os, time\nwhile True:\n    if os.fork() == 0:\n        while time.process_time() < 0.2: pass\n        os._exit(0)\n    os.wait()";
    for (level, source) in [(Level::L1, busy), (Level::L2, ended), (Level::L3, busy)] {
        let process = python(level, source, Limits { total_cpu_s: Some(1), ..Limits::default() });
        let end = process.end();
        assert_eq!(end["excess"], "used more than 1 s of processor time, all of its processes together", "{level}: {end}");
        assert_eq!(end["enforced"]["limits"]["total_cpu_s"], 1, "{level}: {end}");
        assert_eq!(processes(process.program.uid), BTreeSet::new(), "{level}");
        process.release();
    }
}

#[test]
fn nothing_leaves_the_control_group_of_a_program() {
    // The tree of groups of version 2, beside the older ones or alone. A machine may have none that root may write to.
    let Some(base) =
        ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(Path::new).into_iter().find(|path| path.join("cgroup.procs").exists())
    else {
        return;
    };
    // Nobody waits for those that end: the kernel forgets their time, but for the group's.
    let forgotten = "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nwhile True:\n    if os.fork() == 0:\n        \
                     while time.process_time() < 0.1: pass\n        os._exit(0)\n    time.sleep(0.05)";
    for level in [Level::L2, Level::L3] {
        let group = base.join(format!("nofx-test-{}-{level}", std::process::id()));
        if std::fs::create_dir(&group).is_err() {
            return;
        }
        let mut program = Program::new(level, &["python3", "-I", "-c", forgotten]);
        program.spec.limits = Limits { total_cpu_s: Some(1), ..Limits::default() };
        let process = Process::start_as(program, true, Some(&group));
        let end = process.end();
        assert_eq!(end["excess"], "used more than 1 s of processor time, all of its processes together", "{level}: {end}");
        assert!(end["usage"]["cpu_ms"].as_u64().is_some_and(|ms| ms > 1000), "{level}: {end}");
        let controlled = end["enforced"]["cgroup"].as_array().cloned().unwrap_or_default();
        assert!(controlled.starts_with(&[json!("kill"), json!("cpu")]), "{level}: what held is said: {end}");
        assert!(!group.exists(), "{level}: it is empty and removed");
        process.release();
    }
}

#[test]
fn without_a_control_group_the_keeper_looks_and_nothing_is_claimed() {
    for level in LEVELS {
        for group in [None, Some(Path::new("/no/such/group"))] {
            let mut program = Program::new(level, &["python3", "-I", "-c", "while True: pass"]);
            program.spec.limits = Limits { total_cpu_s: Some(1), ..Limits::default() };
            let process = Process::start_as(program, true, group);
            let end = process.end();
            assert_eq!(end["excess"], "used more than 1 s of processor time, all of its processes together", "{level}: {end}");
            assert_eq!(end["enforced"]["cgroup"], json!([]), "{level}: {end}");
            process.release();
        }
    }
}

#[test]
fn what_processes_share_counts_once() {
    let source = "import os, time\nb = bytearray(b'x') * (60 << 20)\nfor _ in range(8):\n    if os.fork() == 0: time.sleep(2); os._exit(0)\n\
                  for _ in range(8): os.wait()\nprint('done', flush=True)";
    // At L3 nobody outside may ask how much is shared.
    for level in [Level::L1, Level::L2] {
        let mut process = python(level, source, memory(160));
        assert_eq!(process.output(), "done\n", "{level}");
        let end = process.end();
        assert_eq!((&end["exit_code"], &end["excess"]), (&json!(0), &Value::Null), "{level}");
    }
}

#[test]
fn what_all_folders_hold_is_bounded() {
    let write = |folder: &str| {
        format!(
            "import os, time\nfor n in range(20): open(os.path.join(os.environ['{folder}'], str(n)), 'wb').write(bytes(2 << 20))\ntime.sleep(600)"
        )
    };
    for level in LEVELS {
        let end = python(level, &write("HOME"), Limits { total_disk_mb: Some(20), ..Limits::default() }).end();
        assert_eq!(end["excess"], "used more than 20 MiB of disk, its workspace and temporary folders together", "{level}: {end}");
        assert_eq!(end["enforced"]["limits"]["total_disk_mb"], 20, "{level}");
    }
    let files = "import time\nfor n in range(600): open(str(n), 'w')\ntime.sleep(600)";
    let end = python(Level::L2, files, Limits { total_files: Some(500), ..Limits::default() }).end();
    assert_eq!(end["excess"], "has more than 500 files, its workspace and temporary folders together", "{end}");
}

#[test]
fn a_program_dies_before_what_keeps_it_when_memory_runs_out() {
    for level in LEVELS {
        let mut process = Process::start(Program::new(level, &["sh", "-c", "cat /proc/self/oom_score_adj; exec sleep 600"]));
        let mut line = [0; 5];
        process.stdout.read_exact(&mut line).expect("a line");
        assert_eq!(&line, b"1000\n", "{level}");
        let own = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).expect("a score");
        assert_eq!(own(&process.keeper.id().to_string()), own("self"), "{level}");
        process.send(&json!("Kill"));
        assert_eq!(process.end()["exit_code"], Value::Null);
        process.release();
    }
}
