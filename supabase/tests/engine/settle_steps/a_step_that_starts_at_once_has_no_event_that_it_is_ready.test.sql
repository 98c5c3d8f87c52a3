begin;
select plan(3);
select tap.tenant();
select tap.run_of('chain', 2);
select tap.claim(), tap.settle('s0', p_capacity => 1);
select is((tap.events())[4:], array['step.started s0', 'step.succeeded s0', 'step.started s1']);
-- Of three dependants the worker starts one; the others are ready for any worker, and events follow their cause.
select tap.run_of('fan', 3);
select tap.claim(), tap.settle('first', p_capacity => 1);
select is((tap.events())[4:], array['step.started first', 'step.succeeded first', 'step.started m0', 'step.ready m1', 'step.ready m2']);
select results_eq($$ select data from nofx.event where run_id = tap.run() and type = 'step.ready' and step_id = tap.step('m1') $$,
  $$ values ('{"name": "m1", "tool": "noop", "attempt": 1}'::jsonb) $$);
select * from finish();
rollback;
