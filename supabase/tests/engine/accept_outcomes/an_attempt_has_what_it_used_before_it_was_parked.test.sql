begin;
select plan(12);
select tap.tenant();
select tap.run_of('loose', 4, '{"tool": "bash", "max_attempts": 3}');
select tap.claim();
create function pg_temp.attempt(p_name text, p_attempt int default 1) returns nofx.step_attempt language sql as $$
  select a from nofx.step_attempt a where a.step_id = tap.step(p_name) and a.attempt = p_attempt
$$;
create function pg_temp.again(p_name text) returns void language plpgsql as $$
begin
  update nofx.step set status = 'ready', waits_for = null where id = tap.step(p_name);
  delete from nofx.step_queue where step_id = tap.step(p_name);
  perform nofx_private.enqueue_steps(array[tap.step(p_name)]);
  perform tap.claim();
end
$$;
create function pg_temp.park(p_name text, p_kind text, p_level text) returns json language sql as $$
  select tap.settle(p_name, p_kind, jsonb_build_object('wait_ms', 1000, 'gate', '{"question": "?"}'::jsonb, 'isolation', jsonb_build_object('level', p_level),
    'usage', '{"cpu_ms": 10, "max_rss_bytes": 500, "wall_ms": 20}'::jsonb))
$$;
select pg_temp.park('s0', 'gate', 'L2');
select is((pg_temp.attempt('s0')).attempt, null, 'it goes on');
select pg_temp.again('s0');
select pg_temp.park('s0', 'timer', 'L3');
select pg_temp.again('s0');
select tap.settle('s0', 'done', '{"isolation": {"level": "L3"}, "usage": {"cpu_ms": 1, "max_rss_bytes": 2, "wall_ms": 3}}');
select is((pg_temp.attempt('s0')).usage, '{"cpu_ms": 21, "max_rss_bytes": 500, "wall_ms": 43}', 'of all its parts');
select is((pg_temp.attempt('s0')).isolation ->> 'level', 'L2', 'the least isolated one');
select is((select parked_usage from nofx.step where id = tap.step('s0')), null);
-- The last part runs no process.
select pg_temp.park('s1', 'gate', 'L2');
select pg_temp.again('s1');
select tap.settle('s1', 'failed', '{"transient": true, "error": {"message": "x"}}');
select is((pg_temp.attempt('s1')).usage ->> 'cpu_ms', '10');
select is((pg_temp.attempt('s1')).isolation ->> 'level', 'L2');
select pg_temp.again('s1');
select tap.settle('s1');
select is((pg_temp.attempt('s1', 2)).usage, null, 'the next attempt begins with nothing');
select is((pg_temp.attempt('s1', 2)).isolation, null);
-- Of a part nothing is known, and a wrong usage counts nothing.
select pg_temp.park('s2', 'gate', 'L2');
select pg_temp.again('s2');
select tap.settle('s2', 'done', '{"isolation": {}, "usage": {"cpu_ms": -1, "max_rss_bytes": 2, "wall_ms": 3}}');
select is((pg_temp.attempt('s2')).isolation, null, 'nothing is claimed');
select is((pg_temp.attempt('s2')).usage ->> 'cpu_ms', '10');
-- Its worker has crashed.
select pg_temp.park('s3', 'gate', 'L2');
select pg_temp.again('s3');
update nofx.step set lease_expires_at = now() - interval '1 second' where id = tap.step('s3');
update nofx_private.lease_batch set check_at = now() - interval '1 second' where true;
select nofx.expire_leases();
select is((pg_temp.attempt('s3')).usage ->> 'cpu_ms', '10');
select is((select parked_usage from nofx.step where id = tap.step('s3')), null);
select * from finish();
rollback;
