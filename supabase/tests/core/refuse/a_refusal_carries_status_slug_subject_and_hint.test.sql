begin;
select plan(1);
select throws_ok($$ select nofx_private.refuse(409, 'run-finished', 'run 7', 'start another') $$, 'PT409', 'run-finished');
select * from finish();
rollback;
