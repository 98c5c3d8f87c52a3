-- Records the verdict of a gate that a tool decided, with its evidence.
-- Takes: p_step and p_token, the step and its lease; p_passed; p_evidence_uri, the URI of the evidence's artifact; p_tree and
--   p_snapshot, the workspace that it judged, null when there was none.
-- Locks: the step's row.
-- Returns: the gate's id, or null when the lease has expired (nothing is written then).
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.record_gate(
  p_step uuid, p_token uuid, p_passed boolean, p_evidence_uri text, p_tree text default null, p_snapshot text default null
)
returns uuid
language plpgsql
security definer set search_path = ''
as $$
declare
  v_step nofx.step;
  v_gate uuid := nofx_private.uuid_v7();
begin
  perform nofx_private.require_service('gate', 'Only workers record verdicts of tools.');
  select * into v_step from nofx.step where id = p_step and lease_token = p_token for no key update;
  if not found then
    return null;
  end if;
  insert into nofx.gate (id, tenant_id, run_id, step_id, gate_type, status, evidence_uri, evidence_id, tree, snapshot, decided_by, decided_at)
  values (v_gate, v_step.tenant_id, v_step.run_id, p_step, v_step.tool,
    case when p_passed then 'passed' else 'failed' end::nofx.gate_status, p_evidence_uri,
    (select id from nofx.artifact where tenant_id = v_step.tenant_id and uri = p_evidence_uri), p_tree, p_snapshot, 'worker', now());
  insert into nofx.event (tenant_id, run_id, step_id, type, data)
  values (v_step.tenant_id, v_step.run_id, p_step, 'gate.decided', jsonb_build_object(
    'gate_id', v_gate, 'gate_type', v_step.tool, 'status', case when p_passed then 'passed' else 'failed' end, 'evidence_uri', p_evidence_uri)
    || jsonb_strip_nulls(jsonb_build_object('tree', p_tree)));
  return v_gate;
end
$$;
grant execute on function nofx.record_gate(uuid, uuid, boolean, text, text, text) to service_role;
