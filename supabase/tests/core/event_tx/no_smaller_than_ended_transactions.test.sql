begin;
select plan(3);
select ok(nofx_private.event_tx() >= pg_current_xact_id()::text::bigint, 'no smaller than the writer''s own');
-- A rolled back subtransaction has an id too, younger than its parent's.
savepoint younger;
create temporary table undone ();
rollback to younger;
select ok(nofx_private.event_tx() > pg_current_xact_id()::text::bigint, 'no smaller than transactions that have ended since');
select ok(nofx_private.event_tx() < pg_snapshot_xmax(pg_current_snapshot())::text::bigint, 'and no larger: readers of an idle database would never reach it');
select * from finish();
rollback;
