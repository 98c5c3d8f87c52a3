-- Decides a gate: the step that waits for it becomes ready and learns the decision.
-- Takes: p_gate; p_decision, approve | reject | waive; p_reason, kept with the gate.
-- Locks: the gate's run (lock_runs); the step.
-- Returns: the gate {id, run_id, step_id, kind, status, decided_by, decided_at, reason}.
-- Raises: 403 forbidden; 404 gate-not-found; 409 gate-decided; 422 unknown-decision.
create function nofx.decide_gate(p_gate uuid, p_decision text, p_reason text default null)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('supervisor');
  v_gate nofx.gate;
  v_ready uuid[];
begin
  if p_decision not in ('approve', 'reject', 'waive') then
    perform nofx_private.refuse(422, 'unknown-decision', p_decision, 'Say approve, reject or waive.');
  end if;
  select * into v_gate from nofx.gate where id = p_gate and (tenant_id = v_tenant or nofx_private.caller_is_service());
  if not found then
    perform nofx_private.refuse(404, 'gate-not-found', p_gate::text, 'List the gates of the run with GET /api/runs/{id}/gates.');
  end if;
  perform nofx_private.lock_runs(array[v_gate.run_id]);
  update nofx.gate
     set status = case p_decision when 'approve' then 'passed' when 'reject' then 'failed' else 'waived' end::nofx.gate_status,
         decided_by = nofx_private.caller_name(), decided_at = now(), reason = p_reason
   where id = p_gate and status = 'pending'
  returning * into v_gate;
  if not found then
    select * into v_gate from nofx.gate where id = p_gate;
    perform nofx_private.refuse(409, 'gate-decided', p_gate::text,
      format('It is %s since %s; a decision is not taken back.', v_gate.status, to_char(v_gate.decided_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
  end if;

  insert into nofx.event (tenant_id, run_id, step_id, type, data)
  values (v_gate.tenant_id, v_gate.run_id, v_gate.step_id, 'gate.decided', jsonb_strip_nulls(jsonb_build_object(
    'gate_id', v_gate.id, 'kind', v_gate.kind, 'status', v_gate.status, 'by', v_gate.decided_by, 'reason', p_reason)));

  with woken as (
    -- A step parked on the gate goes on; a step that was held by a requested gate has one need less.
    update nofx.step s
       set status = case when r.status = 'paused' then s.status
                         when s.status = 'waiting' or s.needs_left <= 1 then 'ready'
                         else s.status end::nofx.step_status,
           needs_left = case when s.status = 'pending' then s.needs_left - 1 else s.needs_left end,
           waits_for = case when s.status = 'waiting' and r.status = 'paused' then s.waits_for end,
           ready_at = now()
      from nofx.run r
     where s.id = v_gate.step_id and r.id = s.run_id
       and (s.status = 'waiting' and s.gate_id = p_gate or s.status = 'pending')
    returning s.id, s.status
  )
  select array_agg(id) filter (where status = 'ready') into v_ready from woken;
  perform nofx_private.make_ready(v_ready);
  return json_build_object('id', v_gate.id, 'run_id', v_gate.run_id, 'step_id', v_gate.step_id, 'kind', v_gate.kind,
    'status', v_gate.status, 'decided_by', v_gate.decided_by, 'decided_at', v_gate.decided_at, 'reason', v_gate.reason);
end
$$;
grant execute on function nofx.decide_gate(uuid, text, text) to authenticated, service_role;
