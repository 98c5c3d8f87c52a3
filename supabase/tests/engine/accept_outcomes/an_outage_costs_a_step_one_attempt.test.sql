begin;
select plan(3);
select tap.tenant();
select tap.run_of('loose', 1, '{"max_attempts": 2}');
insert into nofx.handler_health (tenant_id, target, state, probe_at, opened_at) values (current_setting('tap.tenant')::uuid, 'noop', 'open', now() + interval '1 hour', now());
update nofx.step set failures = 1 where id = tap.step('s0');
select tap.claim();
select tap.fail_step('s0', '{"transient": true}');
select results_eq($$ select status::text, waits_for::text, failures from nofx.step where id = tap.step('s0') $$, $$ values ('waiting', 'breaker', 1) $$,
  'it was the last attempt');
update nofx.handler_health set state = 'closed', probe_at = null, opened_at = null;
select nofx.fire_timers();
select is(tap.claim(), array['s0']);
select tap.settle('s0');
select is(tap.run_status(), 'succeeded');
select * from finish();
rollback;
