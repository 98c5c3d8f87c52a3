begin;
select plan(2);
select is(nofx_private.lock_runs(array['00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b', '00000000-0000-0000-0000-00000000000a']::uuid[]), 3);
select is((select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), 2::bigint);
select * from finish();
rollback;
