begin;
select plan(10);
select tap.tenant();
select tap.run_of('loose', 4, '{"tool": "bash", "max_attempts": 2}');
select tap.claim();
create function pg_temp.used() returns text language sql as $$
  select sum(cpu_ms) || ' ' || sum(wall_ms) from nofx.sandbox_usage where tenant_id = current_setting('tap.tenant')::uuid
$$;
select tap.settle('s0', 'done', '{"isolation": {"level": "L2", "driver": "worker-container"}, "usage": {"cpu_ms": 1500, "max_rss_bytes": 4096, "wall_ms": 30}}');
select is(pg_temp.used(), '1500 30');
select tap.settle('s1', 'failed', '{"transient": true, "error": {"message": "x"}, "usage": {"cpu_ms": 500, "max_rss_bytes": 1, "wall_ms": 3,
  "destinations": [{"host": "a.example", "port": 443, "connections": 1, "refused": 0, "sent_bytes": 1, "received_bytes": 2}]}}');
select is(pg_temp.used(), '2000 33', 'a failed attempt used it, too');
select tap.settle('s2', 'done', '{"usage": null}'), tap.settle('s3');
select is(pg_temp.used(), '2000 33', 'no process ran');
select nofx.settle_steps('w', jsonb_build_array(jsonb_build_object('step_id', tap.step('s3'), 'token', gen_random_uuid(), 'kind', 'done',
  'usage', '{"cpu_ms": 9, "max_rss_bytes": 9, "wall_ms": 9}'::jsonb)));
select is(pg_temp.used(), '2000 33', 'an outcome that is not accepted counts nothing');
select is((select count(*)::int from nofx.event where run_id = tap.run() and type = 'sandbox.used'), 2);
select is((select data from nofx.event where step_id = tap.step('s0') and type = 'sandbox.used'),
  '{"name": "s0", "tool": "bash", "driver": "worker-container", "level": "L2", "cpu_ms": 1500, "max_rss_bytes": 4096, "wall_ms": 30, "read_bytes": 0, "written_bytes": 0, "cost_micro_usd": 0, "destinations": []}');
select is((select data ->> 'level' from nofx.event where step_id = tap.step('s1') and type = 'sandbox.used'), null, 'its driver reported no level');
select is((select data #>> '{destinations,0,host}' from nofx.event where step_id = tap.step('s1') and type = 'sandbox.used'), 'a.example', 'what it reached');
select is(nofx_private.cpu_ms_today(gen_random_uuid()), 0::bigint);
select is((select count(distinct tenant_id)::int from nofx.sandbox_usage), 1);
select * from finish();
rollback;
