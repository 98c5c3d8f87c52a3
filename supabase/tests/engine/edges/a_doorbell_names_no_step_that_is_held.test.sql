begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 2, '{"concurrency_key": "k", "concurrency_limit": 1}');
select is(cardinality(nofx_private.take_named(array[tap.step('s0'), tap.step('s1')], 9, null)), 1);
select * from finish();
rollback;
