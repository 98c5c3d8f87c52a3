//! The program in a task of a step, as a process: until its lifetime ends, or ECS stops the task. What it serves is in `drivers::task`.

use nofx_shared::settings::TaskServer;

use crate::error::Error;
use crate::{drivers, startup};

/// Serves, and says why it has ended.
pub async fn serve_task(settings: TaskServer) -> Result<&'static str, Error> {
    let stop = startup::stop_at_signal()?;
    drivers::serve_task(settings, stop.clone()).await.map_err(Error::Task)?;
    Ok(if stop.is_cancelled() { "stopped by a signal; the programs that ran were killed" } else { "its lifetime has ended" })
}
