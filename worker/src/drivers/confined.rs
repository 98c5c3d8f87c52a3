//! A process of a step, started and kept by the worker's supervisor.

use std::time::Duration;

use nofx_sandbox::{Bridge, Ended, Program, Running, Sandbox};
use nofx_shared::engine::Failure;
use tokio::net::unix::pipe;
use tokio::sync::{Mutex, oneshot};
use tokio_util::sync::CancellationToken;

use super::output::Output;
use super::{Command, Home, LeftHome, ProcessResult, WRITTEN_BYTES};
use crate::egress::Grant;

/// How long a process that is killed may take to be gone.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// A program that was started. It ends, with all of its descendants, when `running` is dropped.
pub(super) struct Started {
    /// None: a descriptor that cannot be watched.
    pub stdout: Option<pipe::Receiver>,
    pub stderr: Option<pipe::Receiver>,
    pub ended: oneshot::Receiver<Result<Ended, String>>,
    pub running: Running,
}

pub(super) async fn start(sandbox: &Sandbox, program: Program) -> Result<Started, Failure> {
    let name = program.argv.first().cloned().unwrap_or_default();
    let pipe = || std::io::pipe().map_err(|error| Failure::transient(format!("could not make a pipe for `{name}`: {error}")));
    let ((from_stdout, stdout), (from_stderr, stderr)) = (pipe()?, pipe()?);
    let (on_end, ended) = oneshot::channel();
    let sandbox = sandbox.clone();
    let running = off_loop(move || sandbox.start(program, stdout, stderr, |end| drop(on_end.send(end)))).await?;
    let running = running.map_err(|why| Failure::transient(format!("could not start `{name}`: {why}")))?;
    let receiver = |pipe: std::io::PipeReader| pipe::Receiver::from_owned_fd(pipe.into()).ok();
    Ok(Started { stdout: receiver(from_stdout), stderr: receiver(from_stderr), ended, running })
}

pub(super) async fn run(sandbox: &Sandbox, command: &Command, home: Option<Home>) -> Result<ProcessResult, Failure> {
    let name = command.executable.program().unwrap_or_default();
    let (argv, script) = command.executable.parts();
    let (bridge, theirs) = match command.egress {
        Some(_) => Bridge::pair().map(|(ours, theirs)| (Some(ours), Some(theirs))),
        None => Ok((None, None)),
    }
    .map_err(|error| Failure::transient(format!("could not make a socket for `{name}`: {error}")))?;
    let program = Program {
        argv,
        script: script.map(str::to_owned),
        dir: command.dir.clone(),
        env: command.env.clone(),
        level: command.confinement.level,
        limits: command.confinement.limits,
        network: command.confinement.network,
        proxy_port: command.egress.as_ref().map(|grant| grant.port()),
        bridge: theirs,
        toolchains: command.confinement.toolchains.clone(),
        scratch: home.as_ref().and_then(Home::path),
    };
    let Started { stdout, stderr, ended, running } = start(sandbox, program).await?;
    // Ends with this process.
    let ended_here = CancellationToken::new();
    let _guard = ended_here.clone().drop_guard();
    if let (Some(bridge), Some(grant)) = (bridge, command.egress.clone()) {
        tokio::spawn(async move {
            tokio::select! { () = serve_bridge(bridge, &grant) => {}, () = ended_here.cancelled() => {} }
        });
    }
    let has_home = home.is_some();
    home.into_iter().for_each(Home::started);
    let output = Mutex::new(Output::default());
    // Where one cannot be watched, the process ends all the same.
    let reading = Output::collect(&output, stdout, stderr, command);
    let whole = async {
        let (end, ()) = tokio::join!(ended, reading);
        end
    };
    let end = until_stopped(whole, &command.stop, || running.stop()).await;
    let gone = || Failure::transient("the supervisor of this worker is gone");
    let end = match end {
        Some(end) => Some(end.map_err(|_| gone())?.map_err(|why| Failure::transient(format!("could not start `{name}`: {why}")))?),
        None => None,
    };
    let (written, home) = off_loop(move || (written(&running), has_home.then(|| LeftHome::new(running)))).await?;
    let (exit_code, excess, enforced, usage) = match end {
        Some(Ended { exit_code, excess, enforced, usage }) => (exit_code, excess, enforced, Some(usage)),
        None => (None, None, None, None),
    };
    Ok(ProcessResult { exit_code, excess, enforced, usage, written, home, ..output.into_inner().result(&command.mask) })
}

/// A program with a network of its own is given the proxy there. If that fails, the program has no way out.
async fn serve_bridge(bridge: Bridge, grant: &Grant) {
    let handed_out = tokio::task::spawn_blocking(|| bridge.listener()).await.map_err(|error| error.to_string()).flatten();
    let served = match handed_out {
        Ok(Some(listener)) => grant.listen(listener).await.map_err(|error| error.to_string()),
        Ok(None) => Ok(()),
        Err(why) => Err(why),
    };
    if let Err(why) = served {
        tracing::warn!(why, "a process does not reach the egress proxy");
    }
}

/// The end; when it is stopped also, if it comes soon.
async fn until_stopped<T>(whole: impl Future<Output = T>, stop: &CancellationToken, kill: impl FnOnce()) -> Option<T> {
    tokio::pin!(whole);
    tokio::select! {
        end = &mut whole => Some(end),
        () = stop.cancelled() => {
            kill();
            tokio::time::timeout(LAST_WAIT, whole).await.ok()
        }
    }
}

/// What it wrote to `NOFX_OUTPUT`. Its scratch folder goes with it.
fn written(running: &Running) -> Option<Result<Vec<u8>, String>> {
    running.scratch().read("output.json", WRITTEN_BYTES).transpose()
}

async fn off_loop<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::transient(format!("a thread of the worker failed: {error}")))
}
