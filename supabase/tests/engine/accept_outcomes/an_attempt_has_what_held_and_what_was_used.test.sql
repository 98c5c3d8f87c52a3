begin;
select plan(6);
select tap.tenant();
select tap.run_of('loose', 4, '{"max_attempts": 2}');
select tap.claim();
select tap.settle('s0', 'done', '{"isolation": {"level": "L2", "driver": "worker-container"}, "usage": {"cpu_ms": 12, "max_rss_bytes": 4096, "wall_ms": 30}}');
select tap.settle('s1', 'done', '{"isolation": null, "usage": null}');
select tap.settle('s2', 'failed', '{"transient": true, "error": {"message": "x"}, "isolation": {"level": "L1"}, "usage": {"cpu_ms": 1, "max_rss_bytes": 1, "wall_ms": 1}}');
select tap.settle('s3');
create function pg_temp.attempt(p_name text) returns nofx.step_attempt language sql as $$
  select a from nofx.step_attempt a where a.step_id = tap.step(p_name)
$$;
select is((pg_temp.attempt('s0')).isolation, '{"level": "L2", "driver": "worker-container"}');
select is((pg_temp.attempt('s0')).usage, '{"cpu_ms": 12, "max_rss_bytes": 4096, "wall_ms": 30}');
select is((pg_temp.attempt('s1')).isolation, null, 'null is nothing');
select is((pg_temp.attempt('s1')).usage, null);
select is((pg_temp.attempt('s2')).isolation ->> 'level', 'L1', 'of a failed attempt, too');
select is((pg_temp.attempt('s3')).usage, null, 'no process ran');
select * from finish();
rollback;
