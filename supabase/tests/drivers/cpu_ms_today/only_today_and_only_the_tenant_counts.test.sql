begin;
select plan(2);
select tap.tenant();
insert into nofx.sandbox_usage select current_setting('tap.tenant')::uuid, (now() at time zone 'utc')::date - n, p, 10, 1
  from generate_series(0, 1) as n, generate_series(0, 7) as p;
select is(nofx_private.cpu_ms_today(current_setting('tap.tenant')::uuid), 80::bigint, 'all parts of today');
select tap.tenant();
select is(nofx_private.cpu_ms_today(current_setting('tap.tenant')::uuid), 0::bigint);
select * from finish();
rollback;
