begin;
select plan(4);
select tap.tenant();
select tap.run_of('loose', 8, '{"max_attempts": 3}');
select tap.claim(5);
select tap.breaks('s' || n, '{"transient": true}') from generate_series(0, 4) as n;

select tap.claim(3);
select is((select count(*)::int from jsonb_array_elements(nofx_private.describe_steps(array[tap.step('s5')], nofx_private.shut_out(array[tap.step('s5')]))::jsonb) as s
            where s -> 'hold' ->> 'breaker' = 'noop'), 1);
select tap.settle('s5', 'shut', '{"provider": "noop"}');
select results_eq($$ select status::text, waits_for::text, failures, attempt from nofx.step where id = tap.step('s5') $$,
  $$ values ('waiting', 'breaker', 0, 1) $$);
select results_eq($$ select kind::text, tool from nofx.doorbell where step_id = tap.step('s5') $$, $$ values ('shut', 'noop') $$);
select is_empty($$ select 1 from nofx.step_attempt where step_id = tap.step('s5') $$);
select * from finish();
rollback;
