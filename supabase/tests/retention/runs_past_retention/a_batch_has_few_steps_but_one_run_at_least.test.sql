begin;
select plan(3);
select tap.tenant();
create function pg_temp.due() returns int language sql as $$
  select cardinality(nofx_private.runs_past_retention(current_setting('tap.tenant')::uuid, now() - interval '30 days', 10))
$$;
insert into nofx.run (id, tenant_id, goal, status, plan, steps_total, open_steps, created_by, created_at, ended_at)
select nofx_private.uuid_v7(), current_setting('tap.tenant')::uuid, 'g', 'succeeded', '{}', 1000, 0, 'a', now() - interval '40 days', now() - interval '39 days'
  from generate_series(1, 4);
select is(pg_temp.due(), 2);
update nofx.run set steps_total = 999 where tenant_id = current_setting('tap.tenant')::uuid;
select is(pg_temp.due(), 3, 'two have fewer than 2,000');
update nofx.run set steps_total = 10000 where tenant_id = current_setting('tap.tenant')::uuid;
select is(pg_temp.due(), 1);
select * from finish();
rollback;
