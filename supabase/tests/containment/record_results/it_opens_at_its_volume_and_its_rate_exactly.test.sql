begin;
select plan(3);
select tap.tenant();
create function pg_temp.after(p_target text, p_failed int, p_succeeded int) returns text language sql as $$
  insert into nofx.handler_health (tenant_id, target, failed, succeeded) values (current_setting('tap.tenant')::uuid, p_target, p_failed, p_succeeded);
  select nofx_private.record_results(array[row (current_setting('tap.tenant')::uuid, p_target, 1, 0, 'e')::nofx_private.result]);
  select state::text from nofx.handler_health where tenant_id = current_setting('tap.tenant')::uuid and target = p_target;
$$;
select is(pg_temp.after('four', 3, 0), 'closed');
select is(pg_temp.after('five', 4, 0), 'open', 'the fifth is enough');
select is(pg_temp.after('half', 4, 5), 'open', 'five of ten are half');
select * from finish();
rollback;
