begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim(), tap.settle('s0', 'timer', '{"wait_ms": 0}'), nofx.fire_timers();
select is((tap.events())[5:], array['step.waiting s0', 'step.ready s0']);
select * from finish();
rollback;
