-- What of a tenant's quotas its sandboxes use: a computed column of nofx.quota.
-- Takes: p_quota.
-- Locks: nothing.
-- Returns: {day_cpu_s, day_sandbox_usd, parallel_sandboxes}, as the quotas of these names count it; parallel_sandboxes is null without that
--   quota. Of another tenant's row nothing is visible.
-- Raises: nothing.
create function nofx.sandbox_use(p_quota nofx.quota)
returns json
language plpgsql
stable
security invoker set search_path = ''
as $$
begin
  return (select json_build_object(
    'day_cpu_s', coalesce(sum(u.cpu_ms), 0) / 1000.0, 'day_sandbox_usd', trim_scale(coalesce(sum(u.cost_micro_usd), 0) / 1000000),
    'parallel_sandboxes', case when p_quota.parallel_sandboxes is not null then (
      select count(*) from nofx.sandbox_slot x join nofx.step s on s.id = x.step_id and s.status = 'running' where x.tenant_id = p_quota.tenant_id) end)
    from nofx.sandbox_usage u where u.tenant_id = p_quota.tenant_id and u.day = (now() at time zone 'utc')::date);
end
$$;
grant execute on function nofx.sandbox_use(nofx.quota) to nofx_api;
