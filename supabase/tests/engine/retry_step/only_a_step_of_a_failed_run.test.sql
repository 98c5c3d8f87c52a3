-- supabase/tests/engine/retry_step/only_a_step_of_a_failed_run.test.sql
begin;
select plan(4);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim(), tap.breaks('s0');
create temporary table other as select tap.run() as run, tap.step('s0') as step;
select tap.run_of('loose', 1);
select tap.claim();
select tap.be('contributor');
select throws_ok($$ select nofx.retry_step(tap.run(), tap.step('s0')) $$, 'PT409', 'run-not-failed');
select tap.breaks('s0');
select tap.be('contributor');
select throws_ok($$ select nofx.retry_step(tap.run(), (select step from other)) $$, 'PT404', 'step-not-found');
select is(array[tap.run_status(), (select status::text from nofx.run where id = (select run from other))], array['failed', 'failed']);
select is(nofx.retry_step(tap.run(), tap.step('s0')) ->> 'status', 'running');
select * from finish();
rollback;
