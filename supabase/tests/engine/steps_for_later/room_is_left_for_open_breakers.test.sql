begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1);
insert into nofx.step (id, tenant_id, run_id, position, name, tool, spec, status, ready_at)
select nofx_private.uuid_v7(), current_setting('tap.tenant')::uuid, tap.run(), n, 'user' || n, 'noop', '{"refs": ["s0"]}', 'ready', now() from generate_series(1, 12) as n;
update nofx.step set outputs = '{"a": 1}', outputs_bytes = 67108864 / 12 where id = tap.step('s0');
select is(cardinality(nofx_private.steps_for_later(array(select id from nofx.step where run_id = tap.run() and name like 'user%'))), 1);
select * from finish();
rollback;
