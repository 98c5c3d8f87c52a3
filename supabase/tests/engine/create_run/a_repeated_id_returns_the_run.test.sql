begin;
select plan(2);
select tap.tenant();
select tap.run_of('chain', 2);
select is(nofx.create_run(tap.run(), '{}', tap.steps('chain', 5)) ->> 'steps_total', '2');
select tap.be('admin', gen_random_uuid());
select throws_ok($$ select nofx.create_run(tap.run(), '{}', tap.steps('chain', 5)) $$, 'PT409', 'id-taken', 'of another tenant');
select * from finish();
rollback;
