begin;
select plan(1);
select throws_ok($$ select nofx_private.refuse(409, 'run-is-over', 'run 7', 'start another') $$, 'PT409', 'run-is-over');
select * from finish();
rollback;
