-- Records that secrets are about to be read, by their names: their values are not here.
-- Takes: p_tenant; p_names; p_step and p_token, the step that uses them and its lease, null for a job of the tenant.
-- Locks: the step's row; the end of the audit log.
-- Returns: whether they may be read; false when the step's lease has expired.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.record_secret_use(p_tenant uuid, p_names text[], p_step uuid default null, p_token uuid default null)
returns boolean
language plpgsql
security definer set search_path = ''
as $$
declare
  v_step nofx.step;
begin
  perform nofx_private.require_service('secret', 'Only a worker reads secrets, for a step that names them.');
  if p_step is not null then
    v_step := nofx_private.leased_step(p_step, p_token, 'secret');
    if v_step.id is null or v_step.tenant_id <> p_tenant then
      return false;
    end if;
  end if;
  perform nofx_private.audit(p_tenant, 'secret.used', array_to_string(p_names, ', '), null, null, v_step.run_id, v_step.id);
  return true;
end
$$;
grant execute on function nofx.record_secret_use(uuid, text[], uuid, uuid) to service_role;
