begin;
select plan(7);
select tap.tickets();
select tap.run_of('loose', 2, '{"tool": "db_write"}');
select tap.claim();
create function pg_temp.write(p_step text, p_more jsonb default '{}') returns json language sql as $$
  select nofx.settle_write('w', tap.outcome(p_step, p_more => '{"outputs": {"op": "insert", "table": "public.ticket", "rows": [{"id": 4, "status": "open"}]}}'::jsonb || p_more))
$$;
select is(json_array_length(pg_temp.write('s0', jsonb_build_object('token', gen_random_uuid())) -> 'refused'), 1, 'with another token');
-- Its lease expires while it writes: another attempt may have begun when the table is done.
create function pg_temp.expire() returns trigger language plpgsql security definer as $$
begin
  update nofx.step set lease_token = gen_random_uuid() where id = tap.step('s0');
  return new;
end $$;
create trigger expire after insert on public.ticket for each row execute function pg_temp.expire();
select pg_temp.write('s0');
select alike((select error ->> 'message' from nofx.step where id = tap.step('s0')), 'lease-expired: %', 'here the change of its lease is rolled back, too');
select is_empty($$ select 1 from public.ticket where id = 4 $$, 'what was written is rolled back');
drop trigger expire on public.ticket;
update nofx.run set status = 'cancelling' where id = tap.run();
select pg_temp.write('s1');
select is_empty($$ select 1 from public.ticket where id = 4 $$, 'its run is being cancelled');
select is(tap.status('s1'), 'cancelled');
select is((select outcome || ': ' || (error ->> 'message') from nofx.step_attempt where step_id = tap.step('s1')), 'cancelled: cancelled before the write');
select is((select count(*)::int from nofx.audit_log where action like 'db_write.%'), 0);
select * from finish();
rollback;
