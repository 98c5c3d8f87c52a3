-- supabase/tests/engine/start_steps/each_lease_has_a_token_of_its_own.test.sql
begin;
select plan(3);
select tap.tenant();
select tap.run_of('loose', 1, '{"max_attempts": 3}');
select tap.claim();
create temporary table token as select lease_token as first from nofx.step where id = tap.step('s0');
update nofx.step set status = 'ready', lease_token = null, lease_expires_at = null, worker = null where id = tap.step('s0');
select nofx_private.start_steps(array[tap.step('s0')], 'v', interval '1 minute');
select is(tap.status('s0'), 'running');
select isnt((select lease_token from nofx.step where id = tap.step('s0')), first, 'a new one') from token;
select isnt((select lease_token from nofx.step where id = tap.step('s0')), tap.step('s0'), 'and none that can be guessed');
select * from finish();
rollback;
