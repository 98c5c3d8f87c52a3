begin;
select plan(3);
select tap.tenant();
select tap.run_of('chain', 2, '{"max_attempts": 1}');
select tap.claim();
select tap.save('s0', 'log.txt');
select tap.fail_step('s0', '{"transient": true}');

select results_eq($$ select name, reason::text, attempts, error ->> 'message', jsonb_array_length(error -> 'chain'), evidence -> 0 ->> 'name' from nofx.step_dlq $$,
  $$ values ('s0', 'exhausted', 1, 'it broke', 1, 'log.txt') $$);
select is((select count(*)::int from nofx.event where type = 'step.dead_lettered'), 1);
select tap.run_of('loose', 1, '{"max_attempts": 1}');
select tap.claim();
select tap.fail_step('s0');
select is((select count(*)::int from nofx.step_dlq), 1, 'a permanent failure is not dead-lettered');
select * from finish();
rollback;
