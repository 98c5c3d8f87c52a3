begin;
select plan(2);
select tap.tickets();
create function pg_temp.write(p_more jsonb) returns void language sql as $$
  select tap.settle('s0', 'write', '{"outputs": {"op": "insert", "table": "public.ticket", "rows": [{"id": 4, "status": "open"}]}}'::jsonb || p_more)
$$;
select pg_temp.write(jsonb_build_object('token', gen_random_uuid()));
select is_empty($$ select 1 from public.ticket where id = 4 $$, 'with another token');
update nofx.run set status = 'cancelling' where id = tap.run();
select pg_temp.write('{}');
select is_empty($$ select 1 from public.ticket where id = 4 $$, 'its run is being cancelled');
select * from finish();
rollback;
