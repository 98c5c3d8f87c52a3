//! What the helper refuses, what it hands on, and what it reports.
#![expect(clippy::disallowed_methods, reason = "starts a parent that ends before its child")]

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::libc;
use nofx_sandbox::launch::{Handover, Namespaces, Report, Tcp};
use nofx_shared::drivers::{Level, Limits, Namespace, Network};

use crate::program::{LEVELS, Program, install};

#[test]
fn what_is_enforced_is_reported() {
    let limits = Limits {
        cpu_s: Some(60),
        memory_mb: Some(512),
        file_mb: Some(64),
        processes: Some(32),
        open_files: Some(256),
        ..Limits::default()
    };
    for level in LEVELS {
        let mut program = Program::new(level, &["true"]);
        program.spec.limits = limits;
        let enforced = program.enforced();
        assert_eq!((enforced.level, enforced.uid, enforced.no_new_privs), (Some(level), Some(program.uid), true));
        assert_eq!(enforced.limits, limits, "{level}");
        assert_eq!(enforced.network, Some(Network::None), "{level}");
        assert_eq!(enforced.landlock_abi.is_some_and(|abi| abi >= 6), level >= Level::L2, "{level}: {enforced:?}");
        let all =
            [Namespace::Cgroup, Namespace::Ipc, Namespace::Mount, Namespace::Network, Namespace::Pid, Namespace::User, Namespace::Uts];
        assert_eq!(enforced.namespaces, if level == Level::L3 { all.to_vec() } else { vec![] }, "{level}");
        let digest = enforced.seccomp.expect("a filter");
        assert!(digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64), "{digest}");
        program.spec.tcp = Tcp::Ports(vec![443]);
        let open = program.enforced();
        assert_eq!(open.network, (level >= Level::L2).then_some(Network::All), "{level}");
        // At L3 sockets are not refused without a network: there is one of the program's own.
        assert_eq!(open.seccomp.as_ref() == Some(&digest), level == Level::L3, "{level}: another filter has another digest");
    }
}

#[test]
fn no_descriptor_and_no_variable_of_the_parent_is_inherited() {
    let secret = Handover::of(b"a secret", "/dev/null".as_ref()).expect("a memfd that children inherit");
    for level in LEVELS {
        let program = Program::new(level, &["sh", "-c", "ls -l /proc/self/fd; env"]);
        let text = program.stdout();
        assert!(!text.contains("memfd"), "{level}, {:?}: {text}", secret.descriptors());
        let names: Vec<&str> = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
        assert!(names.iter().all(|name| ["HOME", "PATH", "PWD", "TMPDIR", "_", "SHLVL", "OLDPWD"].contains(name)), "{level}: {names:?}");
    }
}

#[test]
fn it_is_a_session_of_its_own_with_a_closed_mask() {
    for level in LEVELS {
        let program = Program::new(
            level,
            &["python3", "-I", "-c", "import os; print(os.getsid(0) == os.getpid() or os.getsid(0), oct(os.umask(0)))"],
        );
        let text = program.stdout();
        let (session, mask) = text.trim().split_once(' ').expect("two words");
        assert_eq!(session, "True", "{level}");
        assert_eq!(mask, "0o27", "{level}");
    }
}

#[test]
fn it_leaves_the_processor_to_who_started_it() {
    let source = "import os\nprint(os.getpriority(os.PRIO_PROCESS, 0))\ntry: os.setpriority(os.PRIO_PROCESS, 0, 0)\nexcept PermissionError: print('refused')";
    let own = rustix::process::getpriority_process(None).expect("own");
    for level in LEVELS {
        let text = Program::new(level, &["python3", "-I", "-c", source]).stdout();
        assert_eq!(text, format!("{}\nrefused\n", own.max(10)), "{level}");
    }
}

#[test]
fn less_than_was_asked_for_is_refused() {
    let mut shared = Program::new(Level::L2, &["true"]);
    shared.spec.level = Level::L3;
    let description = serde_json::to_vec(&shared.spec).expect("JSON");
    shared.spec.level = Level::L2;
    let Report::Refused(why) = shared.run_described(&description).1 else { panic!("it ran") };
    assert!(why.contains("namespace"), "{why}");

    let mut unknown = Program::new(Level::L3, &["true"]);
    unknown.spec.outside = Namespaces::default();
    assert!(unknown.refusal().contains("namespace"));

    let mut higher = Program::new(Level::L2, &["true"]);
    higher.spec.level = Level::L4;
    let description = serde_json::to_vec(&higher.spec).expect("JSON");
    higher.spec.level = Level::L1;
    let Report::Refused(why) = higher.run_described(&description).1 else { panic!("it ran") };
    assert!(why.contains("L4"), "{why}");

    let mut root = Program::new(Level::L1, &["true"]);
    root.uid = 0;
    assert!(root.refusal().contains("root"));
}

#[test]
fn what_cannot_be_started_is_refused_with_its_name() {
    for level in LEVELS {
        assert!(Program::new(level, &["no-such-program"]).refusal().contains("`no-such-program`"), "{level}");
        assert!(Program::new(level, &[]).refusal().contains("no program"), "{level}");
    }
    for level in [Level::L1, Level::L2] {
        let mut program = Program::new(level, &["true"]);
        program.spec.dir = "/no/such/folder".into();
        assert!(program.refusal().contains("/no/such/folder"), "{level}");
    }
    let mut program = Program::new(Level::L2, &["true"]);
    program.spec.read_only.push("/no/such/toolchain".into());
    assert!(program.refusal().contains("/no/such/toolchain"));
}

#[test]
fn the_helper_may_lie_where_its_user_cannot_enter() {
    for level in LEVELS {
        let mut program = Program::new(level, &["true"]);
        let closed = tempfile::tempdir().expect("a folder of root's");
        let exe = closed.path().join("nofx");
        install(&program.spec.exe, &exe, "755");
        program.spec.exe = exe;
        assert_eq!(program.enforced().level, Some(level));
    }
}

#[test]
fn a_rule_does_not_follow_links() {
    for link in ["link", "link/usr"] {
        let mut program = Program::new(Level::L2, &["true"]);
        std::os::unix::fs::symlink("/", program.folder.path().join("link")).expect("a link");
        program.spec.read_write.push(program.folder.path().join(link));
        assert!(program.refusal().contains("symbolic links"), "{link}");
    }
}

#[test]
fn a_folder_that_another_process_of_the_run_had_may_be_gone() {
    for level in LEVELS {
        let mut program = Program::new(level, &["echo", "ran"]);
        program.spec.read_write.push(program.folder.path().join("gone"));
        assert_eq!(program.stdout(), "ran\n", "{level}");
    }
}

#[test]
fn a_kernel_without_landlock_has_no_l2() {
    // A filter that answers as such a kernel does, and then the helper.
    let without = "import ctypes, os, struct, sys\n\
                   code = b''.join(struct.pack('HBBI', *one) for one in [(32, 0, 0, 0), (21, 0, 1, 444), (6, 0, 0, 0x50000 + int(sys.argv[1])), (6, 0, 0, 0x7fff0000)])\n\
                   buffer = ctypes.create_string_buffer(code)\n\
                   filter = ctypes.create_string_buffer(struct.pack('HxxxxxxP', 4, ctypes.addressof(buffer)))\n\
                   libc = ctypes.CDLL(None, use_errno=True)\n\
                   assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter) == 0\n\
                   os.execv(sys.argv[2], sys.argv[2:])";
    for (level, answer) in [(Level::L2, libc::ENOSYS), (Level::L2, libc::EOPNOTSUPP), (Level::L1, libc::ENOSYS)] {
        let program = Program::new(level, &["true"]);
        let mut handover = Handover::new(&program.spec).expect("a memfd");
        let helper = program.command(&handover);
        let mut parent = Command::new("python3");
        parent.args(["-I", "-c", without, &answer.to_string()]).arg(helper.get_program()).args(helper.get_args());
        let output = parent.uid(program.uid).gid(program.uid).output().expect("it runs");
        match handover.report().expect("a report").unwrap_or_else(|| panic!("{output:?}")) {
            Report::Refused(why) => assert!(level == Level::L2 && why.contains("Landlock"), "{why}"),
            Report::Enforced(enforced) => assert!(level == Level::L1 && output.status.success(), "{enforced:?}"),
        }
    }
}

#[test]
fn a_description_cannot_be_changed() {
    let handover = Handover::of(b"{}", "/dev/null".as_ref()).expect("a memfd");
    let [spec, _] = handover.descriptors();
    let mut opened = std::fs::OpenOptions::new().write(true).open(format!("/proc/self/fd/{spec}")).expect("it opens");
    assert_eq!(std::io::Write::write(&mut opened, b"x").map_err(|error| error.kind()), Err(std::io::ErrorKind::PermissionDenied));
}

#[test]
fn a_program_does_not_outlive_its_parent() {
    let source = "import time; print('started', flush=True); time.sleep(20); print('outlived it')";
    for level in LEVELS {
        let program = Program::new(level, &["python3", "-I", "-c", source]);
        let handover = Handover::new(&program.spec).expect("a memfd");
        let helper = program.command(&handover);
        // A parent in between: a shell that waits for the helper.
        let mut parent = Command::new("sh");
        parent.args(["-c", "\"$@\" & wait", "sh"]).arg(helper.get_program()).args(helper.get_args());
        let mut parent = parent.uid(program.uid).gid(program.uid).stdout(Stdio::piped()).spawn().expect("a shell");
        let mut output = BufReader::new(parent.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        assert_eq!(line, "started\n", "{level}");
        parent.kill().and_then(|()| parent.wait()).expect("it ends");
        // The pipe ends when nobody has it any more.
        assert_eq!(output.read_line(&mut line).expect("the end"), 0, "{level}: {line}");
    }
}

#[test]
fn a_description_that_is_none_is_refused() {
    let program = Program::new(Level::L1, &["true"]);
    for bad in ["", "null", "[]", "{}", "{\"argv\": [\"true\"]}"] {
        let (output, report) = program.run_described(bad.as_bytes());
        assert_eq!(output.status.code(), Some(nofx_sandbox::launch::REFUSED), "{bad}");
        assert!(matches!(&report, Report::Refused(why) if why.contains("description")), "{bad}: {report:?}");
    }
    let mut extended = serde_json::to_value(&program.spec).expect("JSON");
    extended["no_seccomp"] = true.into();
    let (_, report) = program.run_described(extended.to_string().as_bytes());
    assert!(matches!(report, Report::Refused(why) if why.contains("no_seccomp")));
    // Descriptors that are not there: nothing can be reported, so it is written.
    let output = Command::new(&program.spec.exe).args(["launch", "990", "991"]).output().expect("the helper starts");
    assert_eq!(output.status.code(), Some(nofx_sandbox::launch::REFUSED));
    assert!(String::from_utf8_lossy(&output.stderr).contains("descriptor 991"), "{output:?}");
}
