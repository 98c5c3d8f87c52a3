begin;
select plan(14);
select tap.tenant();
select tap.be('admin');
create function pg_temp.set(p_inputs jsonb) returns text language sql as $$
  select format('select nofx.set_hook(%L, %L, %L, %L)', 'x', 'post', '', jsonb_build_object('kind', 'tool', 'tool', 'noop', 'inputs', p_inputs))
$$;
select throws_ok(pg_temp.set((repeat('[', 80) || '1' || repeat(']', 80))::jsonb), 'PT422', 'invalid-hook', 'deep');
select throws_ok(pg_temp.set(to_jsonb(repeat('x', 300000))), 'PT422', 'invalid-hook', 'huge');
select throws_ok(format('select nofx.set_hook(%L, %L, %L, %L)', 'x', 'post', '', target), 'PT422', 'invalid-hook', target) from unnest(array[
  '1', '[]', 'null', '{"kind": 1}', '{"kind": "tool", "tool": 1}', '{"kind": "tool", "tool": ["noop"]}', '{"kind": "tool", "tool": "noop", "inputs": [1]}',
  '{"kind": "tool", "tool": "noop", "inputs": null}', '{"kind": "webhook", "url": ["https://example.com"]}', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com", "tool": "noop"}',
  '{"kind": "tool", "tool": "noop", "name": "x"}']) as target;
select lives_ok(pg_temp.set(to_jsonb(tap.sealed('{"a": [1]}'))));
select * from finish();
rollback;
