-- Deletes alerts whose retention has passed since they were resolved. Open ones stay, and those about a run under a legal hold.
-- Takes: p_limit, how many at most, 1 to 10000.
-- Locks: the advisory lock of begin_prune; the alerts.
-- Returns: how many were deleted; 0 while another call prunes.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.prune_alerts(p_limit int default 1000)
returns int
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant record;
  v_gone uuid[];
  v_total int := 0;
  v_limit int := least(greatest(p_limit, 1), 10000);
begin
  if not nofx_private.begin_prune() then
    return 0;
  end if;
  for v_tenant in select * from nofx_private.pruned_tenants('alerts') loop
    with gone as (
      delete from nofx.alert
       where id in (
         select a.id from nofx.alert a
          where a.tenant_id = v_tenant.id
            and a.resolved_at < v_tenant.before
            and not exists (select from nofx.legal_hold h where h.run_id = a.run_id)
          order by a.resolved_at limit v_limit - v_total)
      returning id
    )
    select array_agg(id) into v_gone from gone;
    perform nofx_private.record_pruned(v_tenant.id, 'alerts', coalesce(cardinality(v_gone), 0), v_tenant.before, v_gone);
    v_total := v_total + coalesce(cardinality(v_gone), 0);
    exit when v_total >= v_limit;
  end loop;
  return v_total;
end
$$;
grant execute on function nofx.prune_alerts(int) to service_role;
