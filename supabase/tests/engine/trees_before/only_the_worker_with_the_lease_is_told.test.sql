begin;
select plan(6);
select tap.tenant();
select tap.run_of('chain', 2, '{"tool": "bash"}');
select tap.claim();
create function pg_temp.before(p_name text) returns json language sql as $$ select nofx.trees_before(id, lease_token) from nofx.step where id = tap.step(p_name) $$;
select is(pg_temp.before('s0')::jsonb, '{"commit": null, "tree": null, "heads": [], "uses": 1, "is_needed": true}');
select is(nofx.trees_before(tap.step('s0'), gen_random_uuid())::text, null, 'the lease has expired');
select tap.settle('s0', 'done', jsonb_build_object('snapshot', repeat('a', 64), 'tree', repeat('b', 40)), 1);
select is((pg_temp.before('s1') -> 'heads')::jsonb, jsonb_build_array(jsonb_build_object('name', 's0', 'snapshot', repeat('a', 64), 'tree', repeat('b', 40), 'uses', 1)));
select is((pg_temp.before('s1') ->> 'is_needed')::boolean, false, 'nothing follows');
select tap.settle('s1', 'done', '{"snapshot": "no digest", "tree": "../x"}');
select results_eq($$ select status::text, tree, snapshot from nofx.step where id = tap.step('s1') $$, $$ values ('succeeded', null::text, null::text) $$,
  'what has another shape counts as nothing and refuses no batch');
select tap.be('admin');
select throws_ok($$ select nofx.trees_before(tap.step('s1'), gen_random_uuid()) $$, 'PT403', 'forbidden');
select * from finish();
rollback;
