begin;
select plan(11);
select tap.tenant();
select tap.run_of('loose', 1, '{"max_attempts": 2}');
create temp table s as select s as step from nofx.step s where id = tap.step('s0');
create function pg_temp.next(p_kind text, p_transient boolean default true, p_run nofx.run_status default 'running') returns text language sql as $$
  select nofx_private.next_status(row (null, null, p_kind, null, null, p_transient, null, null, '[]', null, null)::nofx_private.outcome, (select step from s), p_run, false)::text
$$;
select is(pg_temp.next('done'), 'succeeded');
select is(pg_temp.next('failed'), 'waiting');
select is(pg_temp.next('failed', false), 'failed', 'permanently');
select is(pg_temp.next('gate'), 'waiting');
select is(pg_temp.next('children'), 'succeeded', 'of an empty list');
select is(pg_temp.next('interrupted'), 'ready');
select is(pg_temp.next('interrupted', true, 'paused'), 'pending', 'in a paused run');
select is(pg_temp.next('failed', true, 'cancelling'), 'cancelled', 'in a run that is being cancelled');
select is(pg_temp.next('interrupted', true, 'cancelling'), 'cancelled');
update nofx.step set failures = 1 where id = tap.step('s0');
update s set step = (select s from nofx.step s where id = tap.step('s0'));
select is(pg_temp.next('failed'), 'failed', 'no attempt left');
select is(pg_temp.next('timed_out'), 'timed_out');
select * from finish();
rollback;
