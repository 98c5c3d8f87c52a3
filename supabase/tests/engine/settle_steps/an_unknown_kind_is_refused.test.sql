begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
select throws_ok($$ select tap.settle('s0', 'perhaps') $$, '22P02');
select * from finish();
rollback;
