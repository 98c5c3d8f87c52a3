//! The worker as a process of its own: settings → logs → run until told to stop.

use nofx_shared::{settings, telemetry};

#[tokio::main]
async fn main() -> std::process::ExitCode {
    telemetry::start();
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
