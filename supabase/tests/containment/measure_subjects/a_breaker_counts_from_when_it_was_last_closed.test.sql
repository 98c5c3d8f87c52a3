begin;
select plan(3);
select tap.tenant();
create function pg_temp.judged(p_failed int, p_succeeded int) returns text language plpgsql as $$
begin
  perform nofx_private.record_results(array[row (current_setting('tap.tenant')::uuid, 'x', p_failed, p_succeeded, 'e')::nofx_private.result]);
  return (select state from nofx.handler_health where tenant_id = current_setting('tap.tenant')::uuid and target = 'x');
end
$$;
select is(pg_temp.judged(9, 0), 'open');
update nofx.handler_health set state = 'half_open', opened_at = now() - interval '100 seconds', changed_at = now() where tenant_id = current_setting('tap.tenant')::uuid;
select pg_temp.judged(1, 0);
select is((select value from nofx_private.measure_subjects() where kind = 'breaker_open' and tenant_id = current_setting('tap.tenant')::uuid), 100::double precision,
  'a probe that fails does not begin anew');
update nofx.handler_health set state = 'half_open' where tenant_id = current_setting('tap.tenant')::uuid;
select pg_temp.judged(0, 1);
select is_empty($$ select from nofx_private.measure_subjects() where kind = 'breaker_open' and tenant_id = current_setting('tap.tenant')::uuid $$);
select * from finish();
rollback;
