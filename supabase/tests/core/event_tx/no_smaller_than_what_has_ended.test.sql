begin;
select plan(3);
select ok(nofx_private.event_tx() >= pg_current_xact_id()::text::bigint, 'no smaller than the writer''s own');
-- What is undone has an id too, younger than the transaction around it.
savepoint younger;
create temporary table undone ();
rollback to younger;
select ok(nofx_private.event_tx() > pg_current_xact_id()::text::bigint, 'no smaller than what has ended since');
select ok(nofx_private.event_tx() < pg_snapshot_xmax(pg_current_snapshot())::text::bigint, 'and no larger: an idle database would never tell it');
select * from finish();
rollback;
