begin;
select plan(10);
create function pg_temp.cost(p_driver text, p_usage jsonb, p_resources jsonb default null) returns bigint language sql as $$
  select nofx_private.sandbox_cost(p_driver, p_resources, '{"cpu_ms": 0, "max_rss_bytes": 0, "wall_ms": 3600000}'::jsonb || p_usage)
$$;
select is(pg_temp.cost('worker-container', '{"cpu_ms": 99999999}'), 0::bigint, 'the worker is paid for');
select is(pg_temp.cost('e2b', '{}'), 108900::bigint, 'an hour of the default sandbox: 0.1008 + 0.0081 USD');
select is(pg_temp.cost('e2b', '{}', '{"memory_mb": 2048}'), 133200::bigint, '2 GiB were asked for');
select is(pg_temp.cost('e2b', '{}', '{"memory_mb": "lots"}'), 108900::bigint, 'a row that no one has checked');
select is(pg_temp.cost('modal', '{"cpu_ms": 7200000, "max_rss_bytes": 1073741824}'), 166104::bigint, 'two vCPUs and a GiB were used: 141912 + 24192');
select is(pg_temp.cost('task', '{"wall_ms": 1000}'), 823::bigint, 'a minute at least: 674.7 + 148.2');
select is(pg_temp.cost('task', '{}'), 49370::bigint, 'an hour of a vCPU and 2 GB');
select is(pg_temp.cost('e2b', '{"wall_ms": 0}'), 0::bigint);
select is(pg_temp.cost('unknown', '{}'), 0::bigint);
select is(pg_temp.cost('task', '{"wall_ms": 100000000000, "max_rss_bytes": 1125899906842624}', '{"memory_mb": 1e30}'), 1000000000000000::bigint, 'it ends somewhere');
select * from finish();
rollback;
