begin;
select plan(4);
select tap.tenant();
select tap.submit('[{"name": "write", "tool": "bash"}, {"name": "each", "tool": "bash", "needs": [0], "spec": {"for_each": "[1, 2]"}},
  {"name": "after", "tool": "bash", "needs": [1]}]');
select tap.claim();
select tap.settle('write', 'done', jsonb_build_object('snapshot', repeat('a', 64), 'tree', repeat('a', 40)), 10);
select tap.settle('each', 'children', '{"children": [1, 2]}', 10);
create function pg_temp.before(p_name text) returns text[] language sql as $$
  select array_agg(s.name order by s.name) from nofx_private.steps_before(array[tap.step(p_name)], true) as b join nofx.step s on s.id = b
$$;
select is(pg_temp.before('each[0]'), '{write}', 'not its sibling');
select tap.settle('each[0]', 'done', jsonb_build_object('snapshot', repeat('b', 64), 'tree', repeat('b', 40)));
select is(pg_temp.before('each[1]'), '{write}', 'nor when that has left something');
select is(pg_temp.before('after'), '{each[0],write}', 'through the one that left nothing');
select is((select array_agg(h.name) from nofx.step s cross join lateral nofx_private.heads_before(s) as h where s.id = tap.step('after')), '{each[0]}');
select * from finish();
rollback;
