begin;
select plan(9);
select tap.tickets();
select tap.run_of('loose', 6, '{"tool": "db_write", "max_attempts": 2}');
select tap.claim();
create function pg_temp.write(p_step text, p_id int) returns json language sql as $$
  select nofx.settle_write('w', tap.outcome(p_step, p_more => jsonb_build_object('outputs',
    jsonb_build_object('op', 'insert', 'table', 'public.ticket', 'rows', jsonb_build_array(jsonb_build_object('id', p_id, 'status', 'open'))))))
$$;
-- It asserts, which `others` does not catch, or sleeps for longer than anybody waits; a deferred one acts at the end of the transaction.
create function pg_temp.act() returns trigger language plpgsql as $$
begin
  if new.id = 11 then assert false, 'no eleven'; end if;
  if new.id = 12 then perform pg_sleep(600); end if;
  if new.id = 13 then raise exception 'no thirteen'; end if;
  return new;
end $$;
create trigger act before insert on public.ticket for each row when (new.id < 13) execute function pg_temp.act();
create constraint trigger late after insert on public.ticket deferrable initially deferred for each row when (new.id = 13) execute function pg_temp.act();
select pg_temp.write('s0', 1);
select alike((select error ->> 'message' from nofx.step where id = tap.step('s0')), 'the table refused the write (23505)%');
select pg_temp.write('s1', 11);
select is((select error ->> 'message' from nofx.step where id = tap.step('s1')), 'the table refused the write (P0004): no eleven');
select pg_temp.write('s2', 13);
select is((select error ->> 'message' from nofx.step where id = tap.step('s2')), 'the table refused the write (P0001): no thirteen');
-- As PostgREST does it: before the statement.
set local statement_timeout = '200ms';
select lives_ok($$ select pg_temp.write('s3', 12) $$, 'the rest of the settle goes on');
set local statement_timeout = 0;
select is(array[tap.status('s0'), tap.status('s1'), tap.status('s2'), tap.status('s3')], array['failed', 'failed', 'failed', 'waiting'], 'only what took too long may be tried again');
select is((select error ->> 'message' from nofx.step_attempt where step_id = tap.step('s3')), 'the write was stopped, and nothing is written: a write may take five seconds');
select is((select count(*)::int from public.ticket where id > 3), 0);
select is((select count(*)::int from nofx.audit_log where action like 'db_write.%'), 0);
select is((select array['statement_timeout=5s'] <@ proconfig from pg_proc where oid = 'nofx.settle_write'::regproc), true, 'for PostgREST to set');
select * from finish();
rollback;
