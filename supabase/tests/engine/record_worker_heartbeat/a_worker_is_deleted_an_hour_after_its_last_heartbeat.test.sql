begin;
select plan(3);
select tap.tenant();
insert into nofx.worker (name, version, running, concurrency, memory_bytes, started_at, seen_at)
values ('old', '1', 0, 1, 1, now(), now() - interval '2 hours');
select nofx_private.record_worker_heartbeat('{"name": "w", "version": "1", "running": 2, "concurrency": 8, "memory_bytes": 5, "started_at": "2026-01-01"}');
select nofx_private.record_worker_heartbeat('{"name": "w", "version": "1", "running": 3, "concurrency": 8, "memory_bytes": 5, "started_at": "2026-01-01"}');
select is((select running from nofx.worker where name = 'w'), 3);
select ok(not exists (select from nofx.worker where name = 'old'));
select tap.be('admin');
select throws_ok($$ select tap.seen('select name from nofx.worker') $$, '42501', null, 'people cannot read the table');
select * from finish();
rollback;
