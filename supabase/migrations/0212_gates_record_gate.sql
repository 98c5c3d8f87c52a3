-- Records the verdict of a gate that a tool decided, with its evidence.
-- Takes: p_step and p_token, the step and its lease; p_passed; p_evidence_uri, the URI of the evidence's artifact; of the evidence, so that
--   policies and checks need not read it: p_asked, what was asked and how it was judged, an object; p_tree and p_snapshot, the workspace
--   that it judged, null when there was none; p_commit and p_is_clean, the commit that was checked out and whether its tree is that one,
--   null outside a repository.
-- Locks: the step's row.
-- Returns: the gate's id, or null when the lease has expired (nothing is written then).
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.record_gate(
  p_step uuid, p_token uuid, p_passed boolean, p_evidence_uri text, p_asked jsonb default null,
  p_tree text default null, p_commit text default null, p_is_clean boolean default null, p_snapshot text default null
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
  insert into nofx.gate (id, tenant_id, run_id, step_id, gate_type, status, evidence_uri, evidence_id, asked, tree, commit, is_clean, snapshot,
    decided_by, decided_at)
  values (v_gate, v_step.tenant_id, v_step.run_id, p_step, v_step.tool,
    case when p_passed then 'passed' else 'failed' end::nofx.gate_status, p_evidence_uri,
    (select id from nofx.artifact where tenant_id = v_step.tenant_id and uri = p_evidence_uri),
    -- Lists without end count for no policy.
    case when jsonb_typeof(p_asked) = 'object' and pg_column_size(p_asked) <= 16384 then p_asked end,
    p_tree, left(p_commit, 64), p_is_clean, p_snapshot, 'worker', now());
  insert into nofx.event (tenant_id, run_id, step_id, type, data)
  values (v_step.tenant_id, v_step.run_id, p_step, 'gate.decided', jsonb_build_object(
    'gate_id', v_gate, 'gate_type', v_step.tool, 'status', case when p_passed then 'passed' else 'failed' end, 'evidence_uri', p_evidence_uri)
    || jsonb_strip_nulls(jsonb_build_object('tree', p_tree)));
  return v_gate;
end
$$;
grant execute on function nofx.record_gate(uuid, uuid, boolean, text, jsonb, text, text, boolean, text) to service_role;
