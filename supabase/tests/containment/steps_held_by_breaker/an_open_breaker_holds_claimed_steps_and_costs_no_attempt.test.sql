begin;
select plan(4);
select tap.tenant();
select tap.run_of('loose', 8, '{"max_attempts": 3}');
select tap.claim(5);
select tap.fail_step('s' || n, '{"transient": true}') from generate_series(0, 4) as n;

select tap.claim(3);
select is((select count(*)::int from jsonb_array_elements(nofx_private.describe_steps(array[tap.step('s5')], nofx_private.steps_held_by_breaker(array[tap.step('s5')]))::jsonb) as s
            where s -> 'hold' ->> 'breaker' = 'noop'), 1);
select tap.settle('s5', 'breaker_open', '{"breaker_target": "noop"}');
select results_eq($$ select status::text, waits_for::text, failures, attempt from nofx.step where id = tap.step('s5') $$,
  $$ values ('waiting', 'breaker', 0, 1) $$);
select results_eq($$ select state::text, breaker_target from nofx.step_queue where step_id = tap.step('s5') $$, $$ values ('breaker', 'noop') $$);
select is_empty($$ select 1 from nofx.step_attempt where step_id = tap.step('s5') $$);
select * from finish();
rollback;
