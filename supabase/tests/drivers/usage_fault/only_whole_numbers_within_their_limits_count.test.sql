begin;
select plan(25);
create function pg_temp.fault(p_more jsonb) returns text language sql as $$
  select nofx_private.usage_fault('{"cpu_ms": 1, "max_rss_bytes": 1, "wall_ms": 1}'::jsonb || p_more)
$$;
select is(pg_temp.fault(more::jsonb), null, more)
  from unnest(array['{}', '{"cpu_ms": 0}', '{"cpu_ms": 100000000000, "wall_ms": 1e11, "max_rss_bytes": 1125899906842624}', '{"wall_ms": 2.0}', '{"more": -1}']) as more;
select isnt(pg_temp.fault(more::jsonb), null, more)
  from unnest(array['{"cpu_ms": -1}', '{"wall_ms": -0.5}', '{"wall_ms": 0.5}', '{"cpu_ms": 100000000001}', '{"max_rss_bytes": 1125899906842625}', '{"cpu_ms": 1e300}',
    '{"cpu_ms": "5"}', '{"cpu_ms": null}', '{"cpu_ms": [1]}', '{"cpu_ms": {"a": 1}}', '{"cpu_ms": true}']) as more;
select isnt(nofx_private.usage_fault(usage::jsonb), null, usage) from unnest(array['{}', '[]', '5', '"cpu_ms"']) as usage;
select is(pg_temp.fault('{"cpu_ms": -5}'), 'cpu_ms is -5, a whole number from 0 to 100000000000 is needed');
select is(pg_temp.fault('{"read_bytes": 0, "written_bytes": 1152921504606846976}'), null, 'a driver may know what was read and written');
select isnt(pg_temp.fault(more::jsonb), null, more)
  from unnest(array['{"read_bytes": null}', '{"written_bytes": -1}', '{"read_bytes": 1152921504606846977}']) as more;
select * from finish();
rollback;
