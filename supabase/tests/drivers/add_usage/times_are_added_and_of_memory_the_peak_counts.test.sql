begin;
select plan(9);
select is(nofx_private.add_usage(null, null), null);
select is(nofx_private.add_usage('{"cpu_ms": 1}', null), '{"cpu_ms": 1}');
select is(nofx_private.add_usage(null, '{"cpu_ms": 1}'), '{"cpu_ms": 1}');
select is(nofx_private.add_usage('{"cpu_ms": 1, "max_rss_bytes": 9, "wall_ms": 3}', '{"cpu_ms": 4, "max_rss_bytes": 2, "wall_ms": 5}'),
  '{"cpu_ms": 5, "max_rss_bytes": 9, "wall_ms": 8}');
select is(nofx_private.add_usage('{"cpu_ms": 9223372036854775807, "max_rss_bytes": 1, "wall_ms": 9223372036854775807}', '{"cpu_ms": 4, "max_rss_bytes": 2, "wall_ms": 5}'),
  '{"cpu_ms": 9223372036854775807, "max_rss_bytes": 2, "wall_ms": 9223372036854775807}', 'no sum overflows');
select is(nofx_private.add_usage('{"cpu_ms": 1, "max_rss_bytes": 9, "wall_ms": 3, "destinations": [{"host": "a"}]}',
  '{"cpu_ms": 4, "max_rss_bytes": 2, "wall_ms": 5, "destinations": [{"host": "b"}]}') -> 'destinations', '[{"host": "a"}, {"host": "b"}]', 'both parts reached hosts');
select is(nofx_private.add_usage('{"cpu_ms": 1, "max_rss_bytes": 9, "wall_ms": 3, "destinations": [{"host": "a"}]}',
  '{"cpu_ms": 4, "max_rss_bytes": 2, "wall_ms": 5}') -> 'destinations', '[{"host": "a"}]', 'only the first did');
select is(nofx_private.add_usage('{"cpu_ms": 1, "max_rss_bytes": 9, "wall_ms": 3, "read_bytes": 512}',
  '{"cpu_ms": 4, "max_rss_bytes": 2, "wall_ms": 5, "read_bytes": 512, "written_bytes": 7}') - array['cpu_ms', 'max_rss_bytes', 'wall_ms'],
  '{"read_bytes": 1024, "written_bytes": 7}', 'bytes are added');
select is(nofx_private.add_usage('{"cpu_ms": 1, "max_rss_bytes": 9, "wall_ms": 3, "read_bytes": 9223372036854775807}',
  '{"cpu_ms": 4, "max_rss_bytes": 2, "wall_ms": 5, "read_bytes": 1}') -> 'read_bytes', '9223372036854775807', 'and no sum of them overflows');
select * from finish();
rollback;
