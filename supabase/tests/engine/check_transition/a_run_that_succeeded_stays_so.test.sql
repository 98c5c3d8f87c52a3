begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim(), tap.settle('s0');
select is(tap.run_status(), 'succeeded');
select throws_ok($$ update nofx.run set status = 'running', ended_at = null where id = tap.run() $$, 'PT409', 'illegal-transition');
select * from finish();
rollback;
