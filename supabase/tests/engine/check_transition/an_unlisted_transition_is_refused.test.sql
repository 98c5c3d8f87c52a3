begin;
select plan(2);
select tap.tenant();
select tap.run_of('chain', 1);
select throws_ok($$ update nofx.step set status = 'succeeded', ended_at = now() where run_id = tap.run() $$, 'PT409', 'illegal-transition');
select throws_ok($$ update nofx.run set status = 'failed', ended_at = now(), open_steps = 0, error = '{}' where id = tap.run(); update nofx.run set status = 'cancelled' where id = tap.run() $$, 'PT409', 'illegal-transition');
select * from finish();
rollback;
