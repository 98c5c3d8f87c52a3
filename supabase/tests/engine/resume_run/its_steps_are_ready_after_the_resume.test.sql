begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1);
select nofx.pause_run(tap.run()), nofx.resume_run(tap.run());
select is((tap.events())[3:], array['run.paused', 'run.resumed', 'step.ready s0']);
select * from finish();
rollback;
