-- Configures the breaker of a target, or closes it.
-- Takes: p_target, as in handler_health; p_window_s, p_min_volume, p_failure_rate, p_probes, null to keep the value; p_close, whether
--   to close it now.
-- Locks: the head of the audit log; the breaker.
-- Returns: the breaker.
-- Raises: 403 forbidden when the caller's role is below supervisor; 422 invalid-breaker, also for a new one when the tenant has 1,000.
create function nofx.set_breaker(
  p_target text,
  p_window_s int default null,
  p_min_volume int default null,
  p_failure_rate real default null,
  p_probes int default null,
  p_close boolean default false
)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('supervisor');
  v_before nofx.handler_health;
  v_row nofx.handler_health;
begin
  if coalesce(p_target, '') !~ '^[A-Za-z0-9_:./-]{1,200}$' then
    perform nofx_private.refuse(422, 'invalid-breaker', p_target, 'Name a tool, http:<host> or provider:<name>; GET /api/breakers lists them.');
  end if;
  perform nofx_private.lock_audit(v_tenant);
  select * into v_before from nofx.handler_health where tenant_id = v_tenant and target = p_target for update;
  if not found and (select count(*) from nofx.handler_health where tenant_id = v_tenant) >= 1000 then
    perform nofx_private.refuse(422, 'invalid-breaker', p_target, 'A tenant has at most 1,000 breakers; those without failures or settings are deleted after a while.');
  end if;
  begin
    insert into nofx.handler_health as h (tenant_id, target, window_s, min_volume, failure_rate, probes)
    values (v_tenant, p_target, coalesce(p_window_s, 60), coalesce(p_min_volume, 5), coalesce(p_failure_rate, 0.5), coalesce(p_probes, 1))
    on conflict (tenant_id, target) do update
       set window_s = coalesce(p_window_s, h.window_s), min_volume = coalesce(p_min_volume, h.min_volume),
           failure_rate = coalesce(p_failure_rate, h.failure_rate), probes = coalesce(p_probes, h.probes),
           state = case when p_close then 'closed' else h.state end, probe_at = case when p_close then null else h.probe_at end,
           succeeded = case when p_close then 0 else h.succeeded end, failed = case when p_close then 0 else h.failed end,
           probes_in_flight = case when p_close then 0 else h.probes_in_flight end, open_ms = case when p_close then 1000 else h.open_ms end,
           opened_at = case when p_close then null else h.opened_at end,
           changed_at = case when p_close and h.state <> 'closed' then now() else h.changed_at end
    returning * into v_row;
  exception when check_violation then
    perform nofx_private.refuse(422, 'invalid-breaker', p_target,
      'window_s is 1 to 3600, min_volume 1 to 10000, failure_rate above 0 and at most 1, probes 1 to 100.');
  end;
  perform nofx_private.audit(v_tenant, 'breaker.set', p_target, to_jsonb(v_before), to_jsonb(v_row));
  if v_before.state <> v_row.state then
    perform nofx_private.emit(array[row (v_tenant, null, null, 'breaker.closed',
      jsonb_build_object('target', p_target, 'by', nofx_private.caller_name()))::nofx_private.new_event]);
    perform nofx_private.probe_breakers();
  end if;
  return to_json(v_row);
end
$$;
grant execute on function nofx.set_breaker(text, int, int, real, int, boolean) to nofx_api;
