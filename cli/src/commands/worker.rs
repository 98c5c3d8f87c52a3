//! `nofx worker`

use nofx_sandbox::Sandbox;
use nofx_shared::{settings, telemetry};

use crate::exit::{Error, Exit, Outcome};

pub(crate) async fn run(sandbox: Sandbox) -> Outcome {
    telemetry::start(&settings::telemetry("nofx-worker"));
    let settings = settings::worker().map_err(Error::new)?;
    nofx_worker::run(settings, sandbox).await.map_err(Error::new)?;
    Ok(Exit::Succeeded)
}
