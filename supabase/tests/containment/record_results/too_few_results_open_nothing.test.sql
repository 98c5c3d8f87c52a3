begin;
select plan(3);
select tap.tenant();
create function pg_temp.fail(p_count int) returns text language sql as $$
  select nofx_private.record_results(array[row (current_setting('tap.tenant')::uuid, 'x', p_count, 0, 'e')::nofx_private.result]);
  select state::text from nofx.handler_health where tenant_id = current_setting('tap.tenant')::uuid and target = 'x'
$$;
insert into nofx.handler_health (tenant_id, target) values (current_setting('tap.tenant')::uuid, 'x');
select is(pg_temp.fail(min_volume - 2), 'closed') from nofx.handler_health where target = 'x';
select is(pg_temp.fail(1), 'closed', 'one below the volume');
select is(pg_temp.fail(1), 'open', 'at the volume');
select * from finish();
rollback;
