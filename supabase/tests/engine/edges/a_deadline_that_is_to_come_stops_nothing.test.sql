begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 1, '{}', '{"deadline_s": 3600}');
select tap.be_service();
select is(nofx.enforce_deadlines(), 0);
select is(tap.run_status(), 'queued');
select * from finish();
rollback;
