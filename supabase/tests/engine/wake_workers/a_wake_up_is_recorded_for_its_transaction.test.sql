begin;
select plan(3);
select is(current_setting('nofx.woke_workers', true), null);
select nofx_private.wake_workers();
select is(current_setting('nofx.woke_workers', true), 'yes');
select is((select count(*) from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and pid = pg_backend_pid()), 1::bigint, 'start_listening waits for its commit');
select * from finish();
rollback;
