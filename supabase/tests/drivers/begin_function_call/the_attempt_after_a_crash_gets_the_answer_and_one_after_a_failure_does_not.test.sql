begin;
select plan(9);
select tap.tenant();
select tap.run_of('loose', 1, '{"max_attempts": 5}');
select tap.claim();
create temporary table first as select tap.call_function('s0') as r;
-- Its worker dies.
update nofx.step set lease_expires_at = now() - interval '1 second' where id = tap.step('s0');
update nofx_private.lease_batch set check_at = now() - interval '1 second' where tap.step('s0') = any (step_ids);
select nofx.expire_leases();
select is(tap.claim(), array['s0']);
select is((select attempt from nofx.step where id = tap.step('s0')), 2);
select is(tap.call_function('s0'), '{"state": "under_way"}', 'the function still executes it');
select ok(tap.answer_function('s0', (select r ->> 'execution' from first), '{"a": 1}'));
select is(tap.call_function('s0'), '{"state": "answered", "answer": {"a": 1}}', 'it is executed once');
-- A worker that shuts down.
select tap.settle('s0', 'interrupted');
select tap.claim();
select is(tap.call_function('s0') ->> 'state', 'answered');
-- An attempt that failed is repeated.
select tap.settle('s0', 'failed', '{"error": {"message": "no"}, "transient": true, "wait_ms": 0}');
select nofx.fire_timers();
select tap.claim();
select is(tap.call_function('s0') ->> 'state', 'execute');
select is(tap.call_function('s0'), '{"state": "under_way"}', 'and has no answer yet');
-- So is one that parked: it continues with another lease.
select tap.settle('s0', 'timer', '{"wait_ms": 0}');
select nofx.fire_timers();
select tap.claim();
select is(tap.call_function('s0') ->> 'state', 'execute');
select * from finish();
rollback;
