-- supabase/tests/engine/pause_run/a_viewer_may_not.test.sql
begin;
select plan(2);
select tap.tenant();
select tap.run_of('chain', 2);
select tap.be('viewer');
select throws_ok($$ select nofx.pause_run(tap.run()) $$, 'PT403', 'forbidden');
select tap.be('contributor');
select lives_ok($$ select nofx.pause_run(tap.run()) $$, 'a contributor may');
select * from finish();
rollback;
