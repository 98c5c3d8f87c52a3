begin;
select plan(19);
select tap.tenant();
select tap.run_of('loose', 1);
create temp table s as select s as step from nofx.step s where id = tap.step('s0');
create function pg_temp.next(p_kind text, p_run nofx.run_status default 'running', p_children jsonb default '[1]') returns text language sql as $$
  select concat_ws(' ', status, waits_for, due_at - now(), attempt_outcome, keeps_attempt, event_type)
    from nofx_private.next_status(
      row (null, null, p_kind, null, null, true, 5000, null, p_children, null, null, null, null, null, null, null)::nofx_private.outcome, (select step from s), p_run, false)
$$;
select is(pg_temp.next('done'), 'succeeded succeeded t step.succeeded');
select is(pg_temp.next('skipped'), 'skipped skipped t step.skipped');
select is(pg_temp.next('gate'), 'waiting gate 00:00:05 t gate.requested');
select is(pg_temp.next('timer'), 'waiting timer 00:00:05 t step.waiting');
select is(pg_temp.next('children'), 'waiting child 00:00:05 t step.waiting');
select is(pg_temp.next('children', 'running', '[]'), 'succeeded succeeded t step.succeeded', 'of an empty list');
select is(pg_temp.next('breaker_open'), 'waiting breaker t step.waiting');
select is(pg_temp.next('interrupted'), 'ready interrupted f step.interrupted');
select is(pg_temp.next('interrupted', 'paused'), 'pending interrupted f step.interrupted', 'in a paused run');
select is(pg_temp.next('failed'), 'failed failed t step.failed');
select is(pg_temp.next('done', 'cancelling'), 'succeeded succeeded t step.succeeded', 'done while its run is being cancelled');
select is(pg_temp.next('skipped', 'cancelling'), 'skipped skipped t step.skipped');
select is(pg_temp.next('gate', 'cancelling'), 'cancelled t step.cancelled');
select is(pg_temp.next('timer', 'cancelling'), 'cancelled t step.cancelled');
select is(pg_temp.next('children', 'cancelling'), 'cancelled succeeded t step.cancelled');
select is(pg_temp.next('breaker_open', 'cancelling'), 'cancelled t step.cancelled');
select is(pg_temp.next('interrupted', 'cancelling'), 'cancelled cancelled t step.cancelled');
select is(pg_temp.next('failed', 'cancelling'), 'cancelled failed t step.cancelled');
select is(pg_temp.next('timed_out', 'cancelling'), 'cancelled timed_out t step.cancelled');
select * from finish();
rollback;
