//! One program of an attempt on its machine: the folder goes up, the program runs there, what it changed comes back.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use nofx_shared::drivers::Limits;
use nofx_shared::engine::Failure;

use super::Exec;
use super::here::Here;
use super::own::{Opened, OwnMachine, Sent};
use super::receive::{Left, receive, written};
use super::script::script;
use super::send::{digest, send};
use crate::drivers::output::Output;
use crate::drivers::{Command, DISK_MB, ProcessResult, Processes, printable, tail};

/// How much of a machine's words is in a failure.
const WHY_BYTES: usize = 1000;

/// Runs a command until it ends or is stopped: then its machine is killed.
pub(in crate::drivers) async fn run(own: &OwnMachine, processes: &Processes, command: &Command) -> Result<ProcessResult, Failure> {
    let output = Mutex::new(Output::default());
    let ran = tokio::select! {
        biased;
        () = command.stop.cancelled() => None,
        ran = run_to_end(own, processes, command, &output) => Some(ran),
    };
    let Some(ran) = ran else {
        own.end().await;
        return Ok(output.into_inner().unwrap_or_else(PoisonError::into_inner).result(&command.mask));
    };
    let result = ran?;
    Ok(ProcessResult {
        exit_code: result.exit_code,
        enforced: result.enforced,
        written: result.written,
        ..output.into_inner().unwrap_or_else(PoisonError::into_inner).result(&command.mask)
    })
}

async fn run_to_end(own: &OwnMachine, processes: &Processes, command: &Command, output: &Mutex<Output>) -> Result<ProcessResult, Failure> {
    let limit_mb = command.confinement.limits.file_mb.unwrap_or(DISK_MB);
    let here = Here { processes, root: &command.root, limit_mb };
    let mut state = own.state.lock().await;
    let opened = own.open(&mut state, command.confinement.level).await?;
    let at = bring(&here, opened).await?;
    let Opened { machine, enforced, sent, .. } = opened;
    let there = sent[at].there.clone();

    let exec = program(command, &there, &own.spec.limits)?;
    let mut sink = |is_stdout: bool, bytes: &[u8]| {
        command.live_output.push(bytes);
        output.lock().unwrap_or_else(PoisonError::into_inner).push(bytes, command.max_output_bytes, is_stdout);
    };
    let exit_code = machine.run(&exec, &mut sink).await;
    let exit_code = exit_code.map_err(|fault| fault.failure("the machine of the step failed"))?;
    let left = Left::read(&script(machine.as_ref(), include_str!("scripts/collect.sh"), &[&there]).await?)?;
    if let Some(why) = left.refused {
        return Err(Failure::permanent(printable(tail(&why, WHY_BYTES))));
    }
    let written = written(machine.as_ref(), &left.output).await?;
    if left.has_changed || left.has_gone {
        // Half of it may be there when this fails.
        sent[at].digest = None;
        receive(&here, machine.as_ref(), &left).await?;
        sent[at].digest = digest(&here).await?;
    }
    Ok(ProcessResult { exit_code, written, enforced: Some(enforced.clone()), ..ProcessResult::default() })
}

/// Sends the folder unless the machine has it as it is; which of the folders there it is.
async fn bring(here: &Here<'_>, opened: &mut Opened) -> Result<usize, Failure> {
    let sent = &mut opened.sent;
    let now = digest(here).await?;
    let at = sent.iter().position(|sent| sent.here == here.root).unwrap_or_else(|| {
        sent.push(Sent { here: here.root.to_owned(), there: format!("/tmp/nofx/folder-{}", sent.len()), digest: None });
        sent.len() - 1
    });
    if now.is_none() || sent[at].digest != now {
        sent[at].digest = None;
        send(here, opened.machine.as_ref(), &sent[at].there).await?;
        sent[at].digest = now;
    }
    Ok(at)
}

/// The program as its machine starts it. Paths below the folder here are those of the folder there.
fn program(command: &Command, there: &str, limits: &Limits) -> Result<Exec, Failure> {
    let root = command.root.to_string_lossy();
    let moved = |text: &str| match text.strip_prefix(root.as_ref()) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{there}{rest}"),
        _ => text.to_owned(),
    };
    let below = command.dir.strip_prefix(&command.root).ok().and_then(Path::to_str);
    let below = below.ok_or_else(|| Failure::permanent("the folder of the program is not below the one that is sent"))?;
    let dir = format!("{there}/{below}");
    let limits = options(limits);
    let (argv, script) = command.executable.parts();
    let mut exec = Exec::script(include_str!("scripts/start.sh"), &[dir.trim_end_matches('/'), &limits, script.unwrap_or_default()]);
    exec.argv.extend(argv.iter().map(|argument| moved(argument)));
    exec.env = command.env.iter().map(|(name, value)| (name.clone(), moved(value))).collect();
    exec.env.insert("NOFX_OUTPUT".to_owned(), "/tmp/nofx/out/output.json".to_owned());
    Ok(exec)
}

/// As options of bash's `ulimit`, in its units: seconds, KiB.
fn options(limits: &Limits) -> String {
    // Those of all processes together have no such option: the machine itself is their limit.
    let Limits { cpu_s, memory_mb, file_mb, processes, open_files, .. } = limits;
    let kib = |mb: &Option<u64>| mb.map(|mb| mb << 10);
    let all = [("t", *cpu_s), ("d", kib(memory_mb)), ("f", kib(file_mb)), ("u", *processes), ("n", *open_files)];
    all.into_iter().filter_map(|(option, value)| Some(format!("{option}={}", value?))).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nofx_shared::drivers::Limits;
    use nofx_shared::secrets::Mask;
    use tokio_util::sync::CancellationToken;

    use super::program;
    use crate::drivers::{Command, Confinement, Executable, LiveOutput, Place};

    fn command(dir: &str, argv: &[&str], env: &[(&str, &str)]) -> Command {
        Command {
            executable: Executable::Argv(argv.iter().map(|text| (*text).to_owned()).collect()),
            root: "/w/run".into(),
            dir: dir.into(),
            env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            place: Place::Here,
            confinement: Confinement::NONE,
            egress: None,
            trace: None,
            stop: CancellationToken::new(),
            max_output_bytes: 0,
            live_output: LiveOutput::default(),
            mask: Mask::default(),
        }
    }

    #[test]
    fn paths_of_the_folder_here_are_those_of_the_folder_there() {
        let given = command("/w/run/a b", &["/w/run/x", "/w/running", "--y=/w/run"], &[("HOME", "/w/run"), ("OTHER", "/w/run2")]);
        let exec = program(&given, "/there", &Limits::default()).expect("a program");
        assert_eq!(exec.argv[5..], ["/there/a b", "", "", "/there/x", "/w/running", "--y=/w/run"]);
        let env = [("HOME", "/there"), ("NOFX_OUTPUT", "/tmp/nofx/out/output.json"), ("OTHER", "/w/run2")];
        assert_eq!(exec.env, BTreeMap::from(env.map(|(name, value)| (name.to_owned(), value.to_owned()))));
        assert_eq!(program(&command("/w/run", &["x"], &[]), "/there", &Limits::default()).expect("a program").argv[5], "/there");
        assert!(program(&command("/w/other", &["x"], &[]), "/there", &Limits::default()).is_err());
    }

    /// As here: bash that has one command only becomes it (`-c`), so that a signal to it would be one to the script.
    #[test]
    fn a_script_is_a_file_there_too() {
        let given = Command { executable: Executable::script("echo 'a'\nb"), ..command("/w/run", &["x"], &[]) };
        let exec = program(&given, "/there", &Limits::default()).expect("a program");
        assert_eq!(exec.argv[5..], ["/there", "", "echo 'a'\nb", "bash", "-euo", "pipefail"]);
    }

    #[test]
    fn limits_are_given_in_the_units_of_the_shell() {
        let limits = Limits { cpu_s: Some(60), memory_mb: Some(512), file_mb: Some(1), processes: Some(64), ..Limits::default() };
        let exec = program(&command("/w/run", &["x"], &[]), "/there", &limits).expect("a program");
        assert_eq!(exec.argv[6], "t=60 d=524288 f=1024 u=64");
    }
}
