begin;
select plan(18);
create function pg_temp.fault(p_more jsonb) returns text language sql as $$
  select nofx_private.destinations_fault(jsonb_build_array(
    '{"host": "a.example", "port": 443, "connections": 1, "refused": 0, "sent_bytes": 1, "received_bytes": 2}'::jsonb || p_more))
$$;
select is(nofx_private.destinations_fault(d::jsonb), null, d) from unnest(array[null, '[]']) as d;
select is(pg_temp.fault(more::jsonb), null, more) from unnest(array['{}', '{"port": 65535}', '{"more": 1}']) as more;
select isnt(pg_temp.fault(more::jsonb), null, more)
  from unnest(array['{"port": 65536}', '{"port": -1}', '{"port": "443"}', '{"sent_bytes": 0.5}', '{"sent_bytes": 1e300}', '{"refused": null}', '{"host": 5}', '{"host": null}']) as more;
select isnt(nofx_private.destinations_fault(d::jsonb), null, d) from unnest(array['{}', 'null', '[5]', '[[]]']) as d;
select isnt(nofx_private.usage_fault('{"cpu_ms": 1, "max_rss_bytes": 1, "wall_ms": 1, "destinations": [{"host": "a"}]}'), null, 'such a usage counts nothing');
select * from finish();
rollback;
