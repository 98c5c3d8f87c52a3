begin;
select plan(8);
select tap.tenant();
select tap.run_of('loose', 1, '{"max_attempts": 2}');
create temp table s as select s as step from nofx.step s where id = tap.step('s0');
create function pg_temp.next(p_kind text, p_transient boolean default true, p_is_open boolean default false) returns text language sql as $$
  select concat_ws(' ', status, waits_for, attempt_outcome, keeps_attempt, event_type)
    from nofx_private.next_status(
      row (null, null, p_kind, null, null, p_transient, null, null, '[]', null, null, null, null, null, null, null)::nofx_private.outcome, (select step from s), 'running', p_is_open)
$$;
select is(pg_temp.next('failed'), 'waiting timer failed f step.retry_scheduled');
create function pg_temp.due(p_wait_ms bigint) returns interval language sql as $$
  select due_at - now() from nofx_private.next_status(jsonb_populate_record(null::nofx_private.outcome,
    jsonb_build_object('kind', 'failed', 'transient', true, 'wait_ms', p_wait_ms)), (select step from s), 'running', false)
$$;
select ok(pg_temp.due(null) < '2 seconds', 'after the wait of the plan, when the outcome names none');
select is(pg_temp.due(9000000000000000), '366 days', 'no wait is beyond all timestamps');
select is(pg_temp.next('failed', false), 'failed failed t step.failed', 'permanently');
select is(pg_temp.next('failed', true, true), 'waiting breaker failed f step.retry_scheduled', 'for its open breaker');
update nofx.step set failures = 1 where id = tap.step('s0');
update s set step = (select s from nofx.step s where id = tap.step('s0'));
select is(pg_temp.next('failed'), 'failed failed t step.failed', 'no attempt left');
select is(pg_temp.next('timed_out'), 'timed_out timed_out t step.timed_out');
select is(pg_temp.next('failed', true, true), 'waiting breaker failed f step.retry_scheduled', 'an outage costs one attempt');
select * from finish();
rollback;
