begin;
select plan(14);
select tap.tenant();
create function pg_temp.many(p_count int, p_name text, p_value jsonb) returns jsonb language sql as $$
  select jsonb_build_object('inputs', jsonb_object_agg(format(p_name, lpad(n::text, 4, '0')), p_value)) from generate_series(1, p_count) as n
$$;
select tap.submit((select jsonb_agg(jsonb_build_object('name', name, 'tool', 'noop', 'spec', spec)) from (values
  ('values', pg_temp.many(1000, '%s', to_jsonb(repeat('v', 240)))),
  ('names', pg_temp.many(1000, repeat('n', 300) || '%s', '1')),
  ('small', pg_temp.many(1000, '%s', '1')),
  ('escaped', pg_temp.many(3, repeat(chr(1), 300) || '%s', to_jsonb(repeat(chr(2), 300)))),
  ('wide', pg_temp.many(9, repeat('😀', 300) || '%s', to_jsonb(repeat('😀', 300)))),
  ('just over', jsonb_build_object('inputs', jsonb_build_object('a', repeat('v', 250), 'b', repeat('v', 250), 'c', repeat('v', 250),
    'd', repeat('v', 250), 'e', repeat('v', 250), 'f', repeat('v', 250), 'g', repeat('v', 250), 'h', repeat('v', 250))))) as s (name, spec)));
create function pg_temp.shown(p_name text) returns json language sql as $$
  select nofx.shown_inputs(s) from nofx.step s where id = tap.step(p_name)
$$;
create function pg_temp.bytes(p_name text) returns int language sql as $$
  select octet_length((pg_temp.shown(p_name) -> 'inputs')::jsonb::text)
$$;
select cmp_ok(pg_temp.bytes(name), '<=', 2048, name) from unnest(array['values', 'names', 'small', 'escaped', 'wide', 'just over']) as name;
select is(pg_temp.shown('values') -> 'inputs' ->> '0001', repeat('v', 240), 'the first is whole');
select is(pg_temp.shown('values') -> 'inputs' ->> '… [inputs left out]', '993');
select is((select count(*)::int from json_object_keys(pg_temp.shown('values') -> 'inputs')), 8, 'seven, and the mark');
select is((select min(key) from json_object_keys(pg_temp.shown('names') -> 'inputs') as key where key like 'n%'),
  repeat('n', 100) || '… [cut: 304 bytes, input 10]');
select is((select count(*) = count(distinct key) and count(*) > 5 from json_object_keys(pg_temp.shown('names') -> 'inputs') as key), true,
  'names that begin alike stay apart');
select is((select count(*)::int from json_object_keys(pg_temp.shown('small') -> 'inputs') as key)
  + (pg_temp.shown('small') -> 'inputs' ->> '… [inputs left out]')::int, 1001, 'each is shown or counted');
select cmp_ok((select count(*)::int from json_object_keys(pg_temp.shown('escaped') -> 'inputs')), '>', 1, 'at least one is shown');
select is(pg_temp.shown('just over') -> 'inputs' ->> '… [inputs left out]', '1');
select * from finish();
rollback;
