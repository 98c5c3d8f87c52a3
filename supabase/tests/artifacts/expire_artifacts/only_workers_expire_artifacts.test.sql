-- supabase/tests/artifacts/expire_artifacts/only_workers_expire_artifacts.test.sql
begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select throws_ok($$ select nofx.expire_artifacts() $$, 'PT403', 'forbidden');
select * from finish();
rollback;
