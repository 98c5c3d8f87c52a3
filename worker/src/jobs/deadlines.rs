//! Ends runs and steps whose time is over.

use nofx_shared::db::Error;
use nofx_shared::engine;

use super::context::JobContext;

pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    engine::enforce_deadlines(&context.db).await.map(drop)
}
