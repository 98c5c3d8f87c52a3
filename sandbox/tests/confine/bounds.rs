//! Programs that use more than they may.

use std::os::unix::process::ExitStatusExt;

use nix::sys::signal::Signal;
use nofx_shared::drivers::{Level, Limits};

use crate::program::{LEVELS, Program};

fn python(level: Level, source: &str, limits: Limits) -> Program {
    let mut program = Program::new(level, &["python3", "-I", "-c", source]);
    program.spec.limits = limits;
    program
}

#[test]
fn a_fork_bomb_is_bounded() {
    let bomb = "import os, signal, time\n\
                for n in range(200):\n\
                \x20   try:\n\
                \x20       if os.fork() == 0: time.sleep(600)\n\
                \x20   except BlockingIOError: break\n\
                print(n, flush=True)\n\
                signal.signal(signal.SIGTERM, signal.SIG_IGN); os.killpg(0, signal.SIGTERM)";
    for level in LEVELS {
        let forks: u64 =
            python(level, bomb, Limits { processes: Some(20), ..Limits::default() }).stdout().trim().parse().expect("a number");
        // At L3 bubblewrap's own processes are among them.
        assert!((15..20).contains(&forks), "{level}: {forks}");
    }
}

#[test]
fn a_file_does_not_grow_beyond_its_limit() {
    let source = "open('large', 'wb', buffering=0).write(bytes(3 << 20)); open('larger', 'wb').truncate(1 << 40)";
    for level in LEVELS {
        let program = python(level, source, Limits { file_mb: Some(2), ..Limits::default() });
        let (output, _) = program.run();
        assert!(String::from_utf8_lossy(&output.stderr).contains("File too large"), "{level}: {output:?}");
        assert_eq!(program.workspace().join("large").metadata().expect("a file").len(), 2 << 20, "{level}");
        assert_eq!(program.workspace().join("larger").metadata().map_or(0, |file| file.len()), 0, "{level}");
    }
}

#[test]
fn memory_is_bounded() {
    for level in LEVELS {
        let limits = Limits { memory_mb: Some(128), ..Limits::default() };
        assert_eq!(python(level, "print(len(bytearray(32 << 20)))", limits).stdout().trim(), (32 << 20).to_string(), "{level}");
        let (output, _) = python(level, "bytearray(256 << 20)", limits).run();
        assert!(String::from_utf8_lossy(&output.stderr).contains("MemoryError"), "{level}: {output:?}");
    }
}

#[test]
fn open_files_are_bounded() {
    for level in LEVELS {
        let limits = Limits { open_files: Some(32), ..Limits::default() };
        let (output, _) = python(level, "files = [open('/dev/null') for _ in range(64)]", limits).run();
        assert!(String::from_utf8_lossy(&output.stderr).contains("Too many open files"), "{level}: {output:?}");
    }
}

#[test]
fn time_of_the_processor_ends_a_program_that_does_not_want_to() {
    let limits = Limits { cpu_s: Some(1), ..Limits::default() };
    let ends = |level, source| {
        let status = python(level, source, limits).run().0.status;
        // bubblewrap ends with 128 and the signal, as a shell does.
        status.signal().or_else(|| status.code().map(|code| code - 128))
    };
    for level in LEVELS {
        assert_eq!(ends(level, "while True: pass"), Some(Signal::SIGXCPU as i32), "{level}");
    }
    let deaf = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass";
    assert_eq!(ends(Level::L1, deaf), Some(Signal::SIGKILL as i32));
}

#[test]
fn no_core_file_is_written() {
    for level in LEVELS {
        let program = python(level, "import os; os.abort()", Limits::default());
        let (output, _) = program.run();
        assert!(!output.status.success(), "{level}");
        assert_eq!(std::fs::read_dir(program.workspace()).expect("a folder").count(), 0, "{level}");
    }
}
