begin;
select plan(7);
select tap.tenant();
select tap.run_of('loose', 3, '{"tool": "bash"}');
select tap.claim();
select nofx.settle_steps('w', jsonb_build_array(
  tap.outcome('s0', 'done', '{"usage": {"cpu_ms": -100000, "max_rss_bytes": 1, "wall_ms": 5}}'),
  tap.outcome('s1', 'done', '{"usage": ["cpu_ms"]}'),
  tap.outcome('s2', 'done', '{"usage": {"cpu_ms": 7, "max_rss_bytes": 1, "wall_ms": 5}}')));
select is((select sum(cpu_ms) from nofx.sandbox_usage where tenant_id = current_setting('tap.tenant')::uuid), 7::numeric, 'the good one counts');
select is((select cpu_ms from nofx.run_usage where run_id = tap.run()), 7::bigint);
select is(tap.run_status(), 'succeeded', 'the steps have their results');
select is((select count(usage)::int from nofx.step_attempt where run_id = tap.run()), 1, 'attempts do not show it');
select is((select data ->> 'refused' from nofx.event where step_id = tap.step('s0') and type = 'sandbox.used'), 'cpu_ms is -100000, a whole number from 0 to 100000000000 is needed');
select is((select data ->> 'refused' from nofx.event where step_id = tap.step('s1') and type = 'sandbox.used'), 'usage is of type array, an object is needed');
select is((select data ? 'refused' from nofx.event where step_id = tap.step('s2') and type = 'sandbox.used'), false);
select * from finish();
rollback;
