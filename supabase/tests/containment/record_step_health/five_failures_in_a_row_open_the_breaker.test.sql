begin;
select plan(4);
select tap.tenant();
select tap.run_of('loose', 8, '{"max_attempts": 3}');
select tap.claim(5);
select tap.fail_step('s' || n, '{"transient": true}') from generate_series(0, 4) as n;

select results_eq($$ select state::text, open_ms from nofx.handler_health where target = 'noop' $$, $$ values ('open', 1000) $$);
select results_eq($$ select waits_for::text from nofx.step where run_id = tap.run() and status = 'waiting' order by name $$,
  $$ values ('timer'), ('timer'), ('timer'), ('timer'), ('breaker') $$, 'the fifth waits for the breaker');
select is((select count(*)::int from nofx.event where type = 'breaker.opened'), 1);
select is((select last_error from nofx.handler_health), 'it broke');
select * from finish();
rollback;
