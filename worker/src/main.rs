//! The worker as a process: settings → logs → run until a signal. `nofx-worker health` checks the worker that runs on this machine.

use nofx_shared::{settings, telemetry};

#[tokio::main]
async fn main() -> std::process::ExitCode {
    telemetry::start(&settings::telemetry("nofx-worker"));
    if std::env::args().nth(1).as_deref() == Some("health") {
        let healthy = nofx_worker::is_healthy(settings::admin_port()).await;
        return if healthy { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE };
    }
    let settings = match settings::worker() {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!("{error}");
            return std::process::ExitCode::from(2);
        }
    };
    match nofx_worker::run(settings).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
