begin;
select plan(3);
select tap.tenant();
select tap.run_of('loose', 9, '{"max_attempts": 2}');
select tap.claim();
select tap.be_service();
-- The same settle opens the breaker.
select nofx.settle_steps('w', (select jsonb_agg(tap.outcome('s' || n, 'failed', '{"transient": true, "error": {"message": "down"}}')) from generate_series(0, 4) as n)
  || tap.outcome('s5', 'timer', '{"wait_ms": 0}') || tap.outcome('s6', 'gate', '{"gate": {"gate_type": "manual:approval"}}')
  || tap.outcome('s7', 'children', '{"children": [1]}') || tap.outcome('s8', 'breaker_open'));
select is((select state::text from nofx.handler_health), 'open');
select results_eq($$ select name, waits_for::text, failures from nofx.step where run_id = tap.run() and parent_id is null and name >= 's4' order by name $$,
  $$ values ('s4', 'breaker', 1), ('s5', 'timer', 0), ('s6', 'gate', 0), ('s7', 'child', 0), ('s8', 'breaker', 0) $$);
delete from nofx.handler_health;
select nofx.fire_timers();
select tap.claim(), tap.fail_step('s5', '{"transient": true}');
select is(tap.status('s5'), 'waiting', 'it has its second attempt');
select * from finish();
rollback;
