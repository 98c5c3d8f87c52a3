-- supabase/tests/engine/forget_logs/a_piece_stays_for_a_day.test.sql
begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
select nofx.append_log(id, lease_token, 0, 'hello') from nofx.step where id = tap.step('s0');
update nofx.step_log set created_at = now() - interval '23:59:59' where step_id = tap.step('s0');
select is(nofx.forget_logs(), 0, 'a second is left');
update nofx.step_log set created_at = now() - interval '24:00:01' where step_id = tap.step('s0');
select is(nofx.forget_logs(), 1);
select * from finish();
rollback;
