-- supabase/tests/engine/take_named/what_is_held_back_is_not_taken.test.sql
begin;
select plan(3);
select tap.tenant();
select tap.run_of('loose', 2);
update nofx.doorbell set kind = 'timer' where step_id = tap.step('s0');
select is(nofx_private.take_named(array[tap.step('s0')], 10, null), null);
select isnt_empty($$ select from nofx.doorbell where step_id = tap.step('s0') $$, 'its doorbell stays');
select is(nofx_private.take_named(array[tap.step('s0'), tap.step('s1')], 10, null), array[tap.step('s1')]);
select * from finish();
rollback;
