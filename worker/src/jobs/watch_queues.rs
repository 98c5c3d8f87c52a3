//! Raises and resolves alerts about queues, breakers and approvals.

use nofx_shared::containment;
use nofx_shared::db::Error;

use super::context::JobContext;

pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    containment::watch_queues(&context.db).await.map(drop)
}
