-- supabase/tests/engine/enforce_deadlines/a_run_before_its_deadline_goes_on.test.sql
begin;
select plan(3);
select tap.tenant();
select tap.run_of('chain', 1, '{}', '{"deadline_s": 60}');
select tap.be_service();
select is(nofx.enforce_deadlines(), 0);
select is(tap.run_status(), 'queued');
update nofx.run set deadline_at = now() where id = tap.run();
select is(nofx.enforce_deadlines(), 1, 'its instant has come');
select * from finish();
rollback;
