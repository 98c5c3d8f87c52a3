//! The worker as a process: its supervisor → settings → logs → run until a signal. `nofx-worker health` checks the worker that runs on this
//! machine; `nofx-worker task` is the program in a task of a step.

use std::process::ExitCode;

use nofx_sandbox::Entered;
use nofx_shared::{settings, telemetry};

fn main() -> ExitCode {
    if let Some(code) = nofx_sandbox::take_role() {
        return code;
    }
    if std::env::args().nth(1).as_deref() == Some("health") {
        return run(async { if nofx_worker::is_healthy(settings::admin_port()).await { ExitCode::SUCCESS } else { ExitCode::FAILURE } });
    }
    if std::env::args().nth(1).as_deref() == Some("task") {
        return run(task());
    }
    match nofx_sandbox::enter() {
        Ok(Entered::Ended(code)) => code,
        Ok(Entered::Worker(sandbox)) => run(worker(sandbox)),
        Err(error) => {
            eprintln!("nofx-worker: {error}");
            ExitCode::from(2)
        }
    }
}

/// Threads start here, and not before: the supervisor has none. One thread: a loop that stands still sends no heartbeats.
fn run(work: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => {
            eprintln!("nofx-worker: could not start its threads: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn task() -> ExitCode {
    let served = match settings::task_server() {
        Ok(settings) => nofx_worker::serve_task(settings).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match served {
        Ok(why) => {
            eprintln!("nofx-worker task: {why}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("nofx-worker task: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn worker(sandbox: nofx_sandbox::Sandbox) -> ExitCode {
    telemetry::start(&settings::telemetry("nofx-worker"));
    let settings = match settings::worker() {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!("{error}");
            return ExitCode::from(2);
        }
    };
    match nofx_worker::run(settings, sandbox).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
