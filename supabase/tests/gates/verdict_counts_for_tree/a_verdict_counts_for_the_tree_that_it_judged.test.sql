begin;
select plan(7);
select tap.tenant();
select tap.be('admin');
select nofx.set_gate_policy('git:commit', '["gate:unit"]');
select tap.submit('[{"name": "write", "tool": "bash"}, {"name": "unit", "tool": "gate:unit", "needs": [0]}, {"name": "more", "tool": "bash", "needs": [1]},
  {"name": "again", "tool": "gate:unit", "needs": [2]}, {"name": "go", "tool": "git:commit", "needs": [3]}]');
create function pg_temp.hold() returns text language sql as $$
  select nofx_private.hold_for(s) ->> 'refuse' from nofx.step s where id = tap.step('go')
$$;
create function pg_temp.left(p_mark text) returns jsonb language sql as $$ select jsonb_build_object('tree', repeat(p_mark, 40), 'snapshot', repeat(p_mark, 64)) $$;
create function pg_temp.verdict(p_name text, p_passed boolean, p_mark text) returns uuid language sql as $$
  select nofx.record_gate(id, lease_token, p_passed, 'x', tap.asked(), repeat(p_mark, 40), null, null, repeat(p_mark, 64)) from nofx.step where id = tap.step(p_name)
$$;
select tap.claim();
select tap.settle('write', 'done', pg_temp.left('a'), 1);
select pg_temp.verdict('unit', true, 'a');
select is(pg_temp.hold(), null, 'it is the tree that the step would begin with');
select tap.settle('unit', 'done', '{}', 1);
select tap.settle('more', 'done', pg_temp.left('b'), 1);
select matches(pg_temp.hold(), 'gate:unit to have passed in this run for the tree that the step begins with');
select pg_temp.verdict('again', true, 'b');
select is(pg_temp.hold(), null, 'it was judged after the change');
update nofx.gate set created_at = now() - interval '1 minute' where step_id = tap.step('again');
select pg_temp.verdict('again', false, 'b');
select matches(pg_temp.hold(), 'requires gate:unit', 'the last verdict of a step counts');
update nofx.gate set tree = null;
select matches(pg_temp.hold(), 'requires gate:unit', 'one that judged no tree counts for none');
select results_eq($$ select distinct g.tree is null, data ->> 'tree' is not null from nofx.gate g join nofx.event e on e.data ->> 'gate_id' = g.id::text and e.type = 'gate.decided' $$,
  $$ values (true, true) $$, 'the event names it');
select nofx_private.verdict_counts_for_tree(g, null) from nofx.gate g limit 1;
select is((select bool_and(nofx_private.verdict_counts_for_tree(g, '')) from nofx.gate g), false, 'a tree that is not known is none');
select * from finish();
rollback;
