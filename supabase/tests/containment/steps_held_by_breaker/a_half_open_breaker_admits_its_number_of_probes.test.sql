begin;
select plan(3);
select tap.tenant();
select tap.run_of('loose', 8, '{"max_attempts": 3}');
select tap.claim(5);
select tap.fail_step('s' || n, '{"transient": true}') from generate_series(0, 4) as n;

select tap.claim(3);
update nofx.handler_health set state = 'half_open', failed = 0, succeeded = 0, probes_in_flight = 0;
select is(cardinality(nofx_private.steps_held_by_breaker(array[tap.step('s5'), tap.step('s6'), tap.step('s7')])), 2);
select is((select probes_in_flight from nofx.handler_health), 1);
select is(cardinality(nofx_private.steps_held_by_breaker(array[tap.step('s6')])), 1, 'while the probe is in flight');
select * from finish();
rollback;
