-- Deletes events of tenants whose retention has passed, whole days, oldest first. maintain_event_partitions comes before it and drops the days
-- that nobody keeps, so that this deletes only what shares a day with events that are kept: those of tenants with a longer retention, and of
-- runs under a legal hold.
-- Takes: p_limit, how many at most, 1 to 100000.
-- Locks: the advisory lock of begin_prune; the events.
-- Returns: how many were deleted; 0 while another call prunes.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.prune_events(p_limit int default 5000)
returns int
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant record;
  v_held uuid[];
  v_before timestamptz;
  v_count int;
  v_total int := 0;
  v_limit int := least(greatest(p_limit, 1), 100000);
begin
  if not nofx_private.begin_prune() then
    return 0;
  end if;
  v_held := array(select run_id from nofx.legal_hold where run_id is not null);
  for v_tenant in select * from nofx_private.pruned_tenants('events') loop
    v_before := date_trunc('day', v_tenant.before);
    delete from nofx.event e
     using (
       select o.tx, o.id, o.created_at
         from nofx.event o
        where o.tenant_id = v_tenant.id and o.created_at < v_before and (o.run_id = any (v_held)) is not true
        order by o.tx, o.id limit v_limit - v_total
     ) as old
     where e.tenant_id = v_tenant.id and e.tx = old.tx and e.id = old.id and e.created_at = old.created_at and e.created_at < v_before;
    get diagnostics v_count = row_count;
    perform nofx_private.record_pruned(v_tenant.id, 'events', v_count, v_before);
    v_total := v_total + v_count;
    exit when v_total >= v_limit;
  end loop;
  return v_total;
end
$$;
grant execute on function nofx.prune_events(int) to service_role;
