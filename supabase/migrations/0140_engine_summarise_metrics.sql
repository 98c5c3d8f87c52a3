-- Counts the open work of the caller's tenant.
-- Takes: nothing.
-- Locks: nothing.
-- Returns: {runs: {status: count} of unfinished runs, ready, throttled, waiting_on_quota, waiting_on_timer and waiting_on_breaker: counts of steps,
--   oldest_ready_s, gates_pending, dead_letters, breakers_open, alerts_open}.
-- Raises: nothing.
create function nofx.summarise_metrics()
returns json
language plpgsql
stable
security invoker set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.caller_tenant();
begin
  return json_build_object(
    'runs', (select coalesce(json_object_agg(status, n), '{}')
               from (select status, count(*) as n from nofx.run
                      where tenant_id = v_tenant and status in ('queued', 'running', 'paused', 'cancelling') group by status) as open),
    'ready', (select count(*) from nofx.step_queue where tenant_id = v_tenant and state = 'ready'),
    'throttled', (select count(*) from nofx.step_queue where tenant_id = v_tenant and state = 'throttled'),
    'waiting_on_quota', (select count(*) from nofx.step_queue where tenant_id = v_tenant and state = 'quota'),
    'waiting_on_timer', (select count(*) from nofx.step_queue where tenant_id = v_tenant and state = 'timer'),
    'waiting_on_breaker', (select count(*) from nofx.step_queue where tenant_id = v_tenant and state = 'breaker'),
    'gates_pending', (select count(*) from nofx.gate where tenant_id = v_tenant and status = 'pending'),
    'dead_letters', (select count(*) from nofx.step_dlq where tenant_id = v_tenant),
    'breakers_open', (select count(*) from nofx.handler_health where tenant_id = v_tenant and state <> 'closed'),
    'alerts_open', (select count(*) from nofx.alert where tenant_id = v_tenant and resolved_at is null),
    'oldest_ready_s', (select extract(epoch from now() - min(s.ready_at))
                         from (select step_id from nofx.step_queue where tenant_id = v_tenant and state = 'ready'
                                order by priority desc, step_id limit 100) as d
                         join nofx.step s on s.id = d.step_id));
end
$$;
grant execute on function nofx.summarise_metrics() to nofx_api;
