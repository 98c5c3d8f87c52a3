begin;
select plan(6);
select tap.tenant();
select tap.run_of('loose', 2, '{"tool": "bash", "max_attempts": 2}');
select tap.claim();
create function pg_temp.used() returns text language sql as $$
  select cpu_ms || ' ' || wall_ms || ' ' || max_rss_bytes || ' ' || cost_micro_usd from nofx.run_usage where run_id = tap.run()
$$;
select is(pg_temp.used(), null);
select is((tap.settle('s0', 'gate', '{"gate": {"question": "?"}, "isolation": {"level": "L4", "driver": "e2b"}, "usage": {"cpu_ms": 500, "max_rss_bytes": 4096, "wall_ms": 10000}}')
  -> 'sandbox_micro_usd')::jsonb, '{"e2b": 303}', '10 s of 2 vCPUs and half a GiB: 280 and 22.5, rounded up');
select is(pg_temp.used(), '500 10000 4096 303', 'parked, its attempt goes on');
select is((tap.settle('s1', 'failed', '{"transient": true, "error": {"message": "x"}, "isolation": {"level": "L2", "driver": "worker-container"},
  "usage": {"cpu_ms": 1, "max_rss_bytes": 9999, "wall_ms": 2}}') -> 'sandbox_micro_usd')::jsonb, '{"worker-container": 0}');
select is(pg_temp.used(), '501 10002 9999 303');
update nofx.run_usage set cpu_ms = 9223372036854775807, wall_ms = 9223372036854775807, cost_micro_usd = 9223372036854775807 where run_id = tap.run();
update nofx.sandbox_usage set cpu_ms = 9223372036854775807, wall_ms = 9223372036854775807, cost_micro_usd = 9223372036854775807 where tenant_id = current_setting('tap.tenant')::uuid;
update nofx.step set status = 'ready', waits_for = null where id = tap.step('s0');
select nofx_private.enqueue_steps(array[tap.step('s0')]);
select tap.claim();
select tap.settle('s0', 'done', '{"isolation": {"driver": "e2b"}, "usage": {"cpu_ms": 5, "max_rss_bytes": 1, "wall_ms": 5}}');
select is(pg_temp.used(), '9223372036854775807 9223372036854775807 9999 9223372036854775807', 'no sum overflows');
select * from finish();
rollback;
