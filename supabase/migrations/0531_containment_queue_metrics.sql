-- Measures queues, breakers, gates and deliveries of all tenants, for Prometheus.
-- Takes: nothing.
-- Locks: nothing.
-- Returns: {steps_ready, steps_throttled, steps_waiting_on_quota, steps_waiting_on_timer, steps_waiting_on_breaker, oldest_ready_seconds, dead_letters,
--   breakers_closed, breakers_open, breakers_half_open, gates_pending, leases_expired_last_hour, hook_deliveries_pending,
--   hook_deliveries_failed, alerts_open, requests_rejected}.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.queue_metrics()
returns json
language plpgsql
stable
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('metrics', 'Only workers measure all tenants.');
  return (
    select json_build_object(
             'steps_ready', count(*) filter (where state = 'ready'), 'steps_throttled', count(*) filter (where state = 'throttled'),
             'steps_waiting_on_quota', count(*) filter (where state = 'quota'),
             'steps_waiting_on_timer', count(*) filter (where state = 'timer'), 'steps_waiting_on_breaker', count(*) filter (where state = 'breaker'),
             'oldest_ready_seconds', (
               select coalesce(extract(epoch from now() - min(s.ready_at)), 0)
                 from (select step_id from nofx.step_queue where state = 'ready' order by tenant_id, priority desc, step_id limit 1000) as first
                 join nofx.step s on s.id = first.step_id),
             'dead_letters', (select count(*) from nofx.step_dlq),
             'breakers_closed', (select count(*) from nofx.handler_health where state = 'closed'),
             'breakers_open', (select count(*) from nofx.handler_health where state = 'open'),
             'breakers_half_open', (select count(*) from nofx.handler_health where state = 'half_open'),
             'gates_pending', (select count(*) from nofx.gate where status = 'pending'),
             'leases_expired_last_hour', (
               -- The last one of a step fails it, or finds its run being cancelled.
               select count(*) from nofx.event
                where type in ('step.lease_expired', 'step.failed', 'step.cancelled') and created_at > now() - interval '1 hour'
                  and (type = 'step.lease_expired' or data #>> '{error,kind}' = 'lease_expired')),
             'hook_deliveries_pending', (select count(*) from nofx.hook_delivery where status = 'pending'),
             'hook_deliveries_failed', (select count(*) from nofx.hook_delivery where status = 'failed'),
             'alerts_open', (select count(*) from nofx.alert where resolved_at is null),
             'requests_rejected', (select coalesce(sum(rejected), 0) from nofx_private.rate_limit_rejection))
      from nofx.step_queue);
end
$$;
grant execute on function nofx.queue_metrics() to service_role;
