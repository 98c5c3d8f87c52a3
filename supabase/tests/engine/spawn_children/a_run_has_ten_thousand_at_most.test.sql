begin;
select plan(1);
select tap.tenant();
select tap.run_of('chain', 1, '{"spec": {"for_each": "x"}}');
select tap.claim();
select throws_ok($$ select tap.settle('s0', 'children', jsonb_build_object('children', (select jsonb_agg(n) from generate_series(1, 10001) as n))) $$, 'PT422', 'too-many-children');
select * from finish();
rollback;
