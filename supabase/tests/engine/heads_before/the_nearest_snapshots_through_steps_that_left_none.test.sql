begin;
select plan(9);
select tap.tenant();
select tap.submit('[{"name": "write", "tool": "bash"}, {"name": "plain", "tool": "noop", "needs": [0]}, {"name": "left", "tool": "bash", "needs": [1]},
  {"name": "right", "tool": "bash", "needs": [1]}, {"name": "join", "tool": "bash", "needs": [0, 2, 3]}, {"name": "free", "tool": "bash"}]');
create function pg_temp.heads(p_name text) returns text[] language sql as $$
  select array_agg(h.name) from nofx.step s cross join lateral nofx_private.heads_before(s) as h where s.id = tap.step(p_name)
$$;
create function pg_temp.leave(p_name text, p_mark text) returns text language sql as $$
  update nofx.step set snapshot = repeat(p_mark, 64), tree = repeat(p_mark, 40) where id = tap.step(p_name) returning name
$$;
create function pg_temp.tree(p_name text) returns text language sql as $$ select nofx_private.tree_before(s) from nofx.step s where s.id = tap.step(p_name) $$;
select is(pg_temp.heads('join'), null, 'nothing was left yet');
select pg_temp.leave('write', 'a');
select is(pg_temp.heads('left'), '{write}', 'through a step that left none');
select is(pg_temp.heads('join'), '{write}');
select is(pg_temp.heads('free'), null, 'what it does not need does not count');
select pg_temp.leave('left', 'b');
select is(pg_temp.heads('join'), '{left}', 'what a head has seen is no head, although it is needed');
select is(pg_temp.tree('join'), repeat('b', 40));
select pg_temp.leave('right', 'c');
select is(pg_temp.heads('join'), '{left,right}');
select is(pg_temp.tree('join'), '', 'nobody knows what they are together');
update nofx.step set tree = repeat('b', 40) where id = tap.step('right');
select is(pg_temp.tree('join'), repeat('b', 40), 'only ignored files differ');
select * from finish();
rollback;
