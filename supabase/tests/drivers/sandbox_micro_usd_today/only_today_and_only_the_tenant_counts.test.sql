begin;
select plan(3);
select tap.tenant();
select is(nofx_private.sandbox_micro_usd_today(current_setting('tap.tenant')::uuid), 0::numeric);
insert into nofx.sandbox_usage
select current_setting('tap.tenant')::uuid, (now() at time zone 'utc')::date - days, part, 0, 0, 9223372036854775807 from generate_series(0, 1) as days, generate_series(0, 7) as part;
select is(nofx_private.sandbox_micro_usd_today(current_setting('tap.tenant')::uuid), 8 * 9223372036854775807::numeric, 'no sum overflows');
select is(nofx_private.sandbox_micro_usd_today(gen_random_uuid()), 0::numeric);
select * from finish();
rollback;
