begin;
select plan(5);
select tap.tenant();
select tap.run_of('chain', 2, jsonb_build_object('spec', jsonb_build_object('for_each', 'x', 'inputs', jsonb_build_object('text', repeat('x', 1000000)))));
select tap.claim();
create function pg_temp.fault(p_items int) returns text language sql as $$
  select nofx_private.children_fault(array(
    select jsonb_populate_record(null::nofx_private.outcome, jsonb_build_object('step_id', tap.step('s0'), 'kind', 'children',
             'children', (select jsonb_agg(n) from generate_series(1, p_items) as n)))))
$$;
select is(pg_temp.fault(10), null);
select matches(pg_temp.fault(1000), '^The children would have 1\d{9} bytes together', 'a thousand inputs of a megabyte');
select throws_ok($$ select tap.settle('s0', 'children', jsonb_build_object('children', (select jsonb_agg(n) from generate_series(1, 1000) as n))) $$,
  'PT422', 'too-many-children');
select is((select count(*)::int from nofx.step where run_id = tap.run()), 2, 'none was made');
update nofx.step set spec = '{"for_each": "x"}' where id = tap.step('s0');
select is(array[pg_temp.fault(10000), left(pg_temp.fault(10001), 40)], array[null, 'A run can have at most 10,000 children; ']);
select * from finish();
rollback;
