//! Events become deliveries, tenant by tenant.

use std::time::Duration;

use nofx_shared::db::{Db, Error};
use nofx_shared::events::{CloudEvent, Cursor};
use nofx_shared::hooks::{self, Delivery, Filters, HookBatch, Subject};
use nofx_shared::plan::expression::apart;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::step::Services;

/// Wait between a settle and the read of its events: they are readable once older transactions have ended.
const READ_DELAY: Duration = Duration::from_millis(100);
/// Wait after a failure.
const BACKOFF: Duration = Duration::from_secs(5);

/// Each time it is woken, also for deliveries that others enqueued, it wakes `queued` in turn.
pub(super) async fn run(db: &Db, services: &Services, queued: &Notify, stop: &CancellationToken) {
    let mut wait = READ_DELAY;
    loop {
        tokio::select! { () = services.hooks.notified() => {}, () = stop.cancelled() => return }
        loop {
            tokio::select! { () = tokio::time::sleep(wait) => {}, () = stop.cancelled() => return }
            let result = enqueue_new(db).await;
            queued.notify_one();
            match result {
                Ok(()) => break wait = READ_DELAY,
                Err(error) => {
                    tracing::warn!(%error, "could not enqueue deliveries of hooks; retrying");
                    wait = BACKOFF;
                }
            }
        }
    }
}

/// Reads events until there are no new ones. A tenant whose deliveries cannot be enqueued delays no other: its failure is returned when all
/// have had their turn.
async fn enqueue_new(db: &Db) -> Result<(), Error> {
    loop {
        let unread = hooks::read_hook_events(db).await?;
        if unread.is_empty() {
            return Ok(());
        }
        let mut failed = Ok(());
        for batch in unread {
            if let Err(error) = enqueue(db, batch).await {
                failed = Err(error);
            }
        }
        failed?;
    }
}

/// Enqueues a delivery for each hook whose filter matches an event. Filters are evaluated away from the threads of the loops.
async fn enqueue(db: &Db, batch: HookBatch) -> Result<(), Error> {
    let (tenant, from) = (batch.tenant_id, Cursor { tx: batch.tx, id: batch.id });
    let Some((last, deliveries)) = apart(move || matching(&batch)).await else { return Ok(()) };
    hooks::advance_hook_cursor(db, tenant, from, last, &deliveries).await.map(drop)
}

/// The deliveries of a tenant's events up to the last one that was read; none when there is no event. Filters that take long end the
/// tenant's turn: its other events are read again, after those of other tenants.
fn matching(batch: &HookBatch) -> Option<(Cursor, Vec<Delivery>)> {
    let (mut deliveries, mut last, mut filters) = (vec![], None, Filters::default());
    for row in &batch.events {
        last = Some(row.cursor());
        let event = CloudEvent::from(row.clone());
        let value = serde_json::to_value(&event).unwrap_or_default();
        let subject = Subject::event(&value);
        let matching = batch.hooks.iter().filter(|hook| filters.matches(&hook.filter, &subject));
        deliveries.extend(matching.map(|hook| Delivery {
            hook_id: hook.id,
            dedup_key: event.id.clone(),
            body: value.to_string(),
            run_id: event.runid,
        }));
        if filters.used_their_turn() {
            break;
        }
    }
    last.map(|last| (last, deliveries))
}

#[cfg(test)]
mod tests {
    use nofx_shared::hooks::HookBatch;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::matching;

    /// `count` events with 300 numbers each, for one hook.
    fn batch(filter: &str, count: usize) -> HookBatch {
        let items: Vec<usize> = (0..300).collect();
        let event = |id: usize| {
            json!({"id": id, "tx": 1, "tenant_id": Uuid::nil(), "run_id": null, "step_id": null, "type": "run.succeeded", "data": {"items": items},
                "created_at": "2026-01-01T00:00:00Z", "region": null, "origin": {"traceparent": null, "correlationid": null}})
        };
        let events: Vec<Value> = (1..=count).map(event).collect();
        let hooks = json!([{"id": Uuid::nil(), "filter": filter}]);
        serde_json::from_value(json!({"tenant_id": Uuid::nil(), "tx": 0, "id": 0, "hooks": hooks, "events": events})).expect("a batch")
    }

    #[test]
    fn an_event_is_delivered_to_the_hooks_whose_filters_match() {
        let matched = |filter: &str| matching(&batch(filter, 3)).map(|(last, deliveries)| (last.id, deliveries.len()));
        assert_eq!(matched(""), Some((3, 3)));
        assert_eq!(matched("event.data.items.exists(x, x == 299)"), Some((3, 3)));
        assert_eq!(matched("event.data.items.exists(x, x == 300)"), Some((3, 0)));
        assert!(matching(&batch("", 0)).is_none());
    }

    #[test]
    fn filters_that_take_long_end_the_turn_of_their_tenant() {
        let costly = "event.data.items.all(x, event.data.items.all(y, x + y >= 0))";
        let (last, deliveries) = matching(&batch(costly, 500)).expect("events");
        assert!((1..100).contains(&last.id), "{} events were read", last.id);
        assert_eq!(i64::try_from(deliveries.len()), Ok(last.id), "each up to there is delivered");
    }
}
