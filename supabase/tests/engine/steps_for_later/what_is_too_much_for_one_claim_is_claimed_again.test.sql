begin;
select plan(6);
select tap.tenant();
select nofx.create_run(gen_random_uuid(), '{}', '[{"name": "make", "tool": "noop"}]', current_setting('tap.tenant')::uuid);
create temporary table run as select id from nofx.run where tenant_id = current_setting('tap.tenant')::uuid;
insert into nofx.step (id, tenant_id, run_id, position, name, tool, spec, status, ready_at)
select nofx_private.uuid_v7(), current_setting('tap.tenant')::uuid, run.id, n, 'user' || n, 'noop', '{"refs": ["make"]}', 'ready', now() from run, generate_series(1, 12) as n;
insert into nofx.step (id, tenant_id, run_id, position, name, tool, status, ready_at)
select nofx_private.uuid_v7(), current_setting('tap.tenant')::uuid, run.id, 20 + n, 'small' || n, 'noop', 'ready', now() from run, generate_series(1, 3) as n;
create function pg_temp.steps(p_like text) returns uuid[] language sql as $$
  select array_agg(id order by name) from nofx.step where run_id = (select id from run) and name like p_like
$$;
update nofx.step set outputs = '{"a": 1}', outputs_bytes = 8000000 where id = any (pg_temp.steps('make'));
select is(cardinality(nofx_private.steps_for_later(pg_temp.steps('user%') || pg_temp.steps('small%'))), 4, 'eight of twelve fit');
select is(nofx_private.steps_for_later(pg_temp.steps('small%')), null, 'they read nothing');
select is(nofx_private.steps_for_later(pg_temp.steps('user1_')), null, 'three fit');
create temporary table claim as select c.value as step from json_array_elements(nofx_private.describe_steps(pg_temp.steps('user%') || pg_temp.steps('small%'), null)) as c;
select is((select count(*)::int from claim), 15);
select is((select count(*)::int from claim where step ->> 'hold' = 'later' and step ->> 'spec' is null), 4);
update nofx.step set outputs_bytes = 9000000 where id = any (pg_temp.steps('make'));
select is(nofx_private.describe_steps(array[(pg_temp.steps('user%'))[1]], null) -> 0 -> 'step_outputs' -> 'make' ->> 'outputs', null,
  'more than one step may read is not read');
select * from finish();
rollback;
