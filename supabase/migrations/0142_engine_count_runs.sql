-- Counts the caller's runs by status, up to a cap for each, so that the cost is bounded.
-- Takes: p_after and p_before, bounds of created_at, or null; p_cap, at most 10000.
-- Locks: nothing.
-- Returns: {status: count}, each at most p_cap; statuses without runs are omitted.
-- Raises: nothing.
create function nofx.count_runs(p_after timestamptz default null, p_before timestamptz default null, p_cap int default 10000)
returns json
language plpgsql
stable
security invoker set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.caller_tenant();
begin
  return (
    select coalesce(json_object_agg(status, n), '{}')
      from (
        select e.status, (
          select count(*)
            from (select from nofx.run r
                   where r.tenant_id = v_tenant and r.status = e.status
                     and (p_after is null or r.created_at > p_after)
                     and (p_before is null or r.created_at < p_before)
                   limit least(greatest(p_cap, 1), 10000)) as found) as n
          from unnest(enum_range(null::nofx.run_status)) as e (status)) as counted
     where n > 0);
end
$$;
grant execute on function nofx.count_runs(timestamptz, timestamptz, int) to nofx_api;
