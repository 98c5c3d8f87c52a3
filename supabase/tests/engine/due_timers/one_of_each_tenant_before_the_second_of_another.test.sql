begin;
select plan(3);
create temporary table made as
  select t.tenant, t.n, gen_random_uuid() as step from (values ('00000000-0000-7000-8000-0000000000a1'::uuid, 5), ('00000000-0000-7000-8000-0000000000b2', 2)) as many (tenant, times)
   cross join lateral (select many.tenant, n from generate_series(1, many.times) as n) as t;
insert into nofx.step_queue (step_id, tenant_id, run_id, state, priority, tool, due_at)
select step, tenant, gen_random_uuid(), 'timer', 0, 'sleep', now() - interval '1 hour' + n * interval '1 second' - (tenant::text like '%a1')::int * interval '1 hour' from made;
create function pg_temp.due(p_limit int) returns text[] language sql as $$
  select array_agg(right(m.tenant::text, 2) || m.n order by d.place) from (select step_id, row_number() over () as place from nofx_private.due_timers(p_limit)) as d join made m on m.step = d.step_id
$$;
select is(pg_temp.due(4), array['a11', 'b21', 'a12', 'b22'], 'although those of the first have waited longer');
select is(cardinality(pg_temp.due(100)), 7);
update nofx.step_queue set due_at = now() + interval '1 minute' where step_id in (select step from made where tenant::text like '%a1');
select is(pg_temp.due(100), array['b21', 'b22'], 'what is not due waits');
select * from finish();
rollback;
