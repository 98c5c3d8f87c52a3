begin;
select plan(2);
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "noop"}, {"name": "b", "tool": "noop", "needs": [0]}, {"name": "c", "tool": "noop"},
  {"name": "d", "tool": "noop", "needs": [1, 2]}, {"name": "e", "tool": "noop"}]');
create function pg_temp.names(p_steps text[]) returns text[] language sql as $$
  select array_agg(s.name order by s.name) from nofx.step s
   where s.id = any (nofx_private.steps_to_reopen(tap.run(), array(select tap.step(n) from unnest(p_steps) as n)))
$$;
select is(pg_temp.names(array['b', 'c']), array['b', 'c', 'd']);
select is(pg_temp.names(array['a']), array['a', 'b', 'd']);
select * from finish();
rollback;
