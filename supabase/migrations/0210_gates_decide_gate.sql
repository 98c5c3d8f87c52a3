-- Decides a gate: approves, rejects or waives it. Once enough people have approved or waived, or one has rejected, the step that waits for
-- it becomes ready. A waiver is one person's, as an approval is; a gate that one of them waived is waived.
-- Takes: p_gate; p_decision, approve | reject | waive; p_reason, stored with the gate, required for a waiver.
-- Locks: the gate's run (lock_runs); the end of the audit log; the step.
-- Returns: the gate {id, run_id, step_id, gate_type, status, approvals_required, approvals, approved_by, approved_at, decided_by,
--   decided_at, reason}; pending while approvals are missing; `approvals` counts waivers, too.
-- Raises: 403 forbidden; 403 self-approval; 404 gate-not-found; 409 gate-decided; 409 gate-expired; 409 already-approved;
--   422 unknown-decision; 422 reason-required.
create function nofx.decide_gate(p_gate uuid, p_decision text, p_reason text default null)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('supervisor');
  -- An API key acts for its maker.
  v_person text := nofx_private.person_behind(nofx_private.caller_name());
  v_gate nofx.gate;
  v_approvals int;
  v_is_waived boolean;
begin
  if p_decision not in ('approve', 'reject', 'waive') then
    perform nofx_private.refuse(422, 'unknown-decision', p_decision, 'Use approve, reject or waive.');
  end if;
  if p_decision = 'waive' and coalesce(btrim(p_reason, E' \t\r\n'), '') = '' then
    perform nofx_private.refuse(422, 'reason-required', p_gate::text, 'Add a reason for the waiver; the audit log keeps it.');
  end if;
  select * into v_gate from nofx.gate where id = p_gate and (tenant_id = v_tenant or nofx_private.caller_is_service());
  if not found then
    perform nofx_private.refuse(404, 'gate-not-found', p_gate::text, 'List gates with GET /api/gates.');
  end if;
  perform nofx_private.lock_runs(array[v_gate.run_id]);
  -- Read again under the lock.
  select * into v_gate from nofx.gate where id = p_gate;
  perform nofx_private.check_decision(v_gate, p_decision);

  insert into nofx.gate_decision (id, gate_id, tenant_id, by, key_id, decision, role, reason)
  values (nofx_private.uuid_v7(), p_gate, v_gate.tenant_id, v_person, nofx_private.caller_key(), p_decision, nofx_private.caller_role(), p_reason);
  perform nofx_private.audit(v_gate.tenant_id, case p_decision when 'approve' then 'gate.approved' when 'reject' then 'gate.rejected' else 'gate.waived' end,
    p_gate::text, null, jsonb_build_object('gate_type', v_gate.gate_type, 'reason', p_reason), v_gate.run_id, v_gate.step_id);
  if p_decision = 'approve' then
    update nofx.gate set approved_by = v_person, approved_at = now() where id = p_gate returning * into v_gate;
  end if;
  select count(distinct by), bool_or(decision = 'waive') into v_approvals, v_is_waived
    from nofx.gate_decision where gate_id = p_gate and decision in ('approve', 'waive');
  if p_decision <> 'reject' and v_approvals < v_gate.approvals_required then
    insert into nofx.event (tenant_id, run_id, step_id, type, data)
    values (v_gate.tenant_id, v_gate.run_id, v_gate.step_id, 'gate.approval_added', jsonb_strip_nulls(jsonb_build_object(
      'gate_id', v_gate.id, 'gate_type', v_gate.gate_type, 'by', v_person, 'approvals', v_approvals, 'approvals_required', v_gate.approvals_required,
      'decision', p_decision, 'reason', p_reason)));
  else
    update nofx.gate
       set status = case when p_decision = 'reject' then 'failed' when v_is_waived then 'waived' else 'passed' end::nofx.gate_status,
           decided_by = v_person, decided_at = now(), reason = p_reason
     where id = p_gate
    returning * into v_gate;
    perform nofx_private.resolve_gate(v_gate);
  end if;
  return json_build_object('id', v_gate.id, 'run_id', v_gate.run_id, 'step_id', v_gate.step_id, 'gate_type', v_gate.gate_type,
    'status', v_gate.status, 'approvals_required', v_gate.approvals_required, 'approvals', v_approvals,
    'approved_by', v_gate.approved_by, 'approved_at', v_gate.approved_at, 'decided_by', v_gate.decided_by, 'decided_at', v_gate.decided_at,
    'reason', v_gate.reason);
end
$$;
grant execute on function nofx.decide_gate(uuid, text, text) to nofx_api, service_role;

-- Refuses a decision that the caller may not make, naming the violated rule. People approve, and each counts once: an API key is its maker, and
-- may approve only where the gate says so. The service role decides for the person that it names, and for nobody else.
-- Takes: p_gate, whose run is locked; p_decision, approve | reject | waive.
-- Locks: nothing.
-- Returns: nothing.
-- Raises: 403 forbidden; 403 self-approval; 409 gate-decided; 409 gate-expired; 409 already-approved.
create function nofx_private.check_decision(p_gate nofx.gate, p_decision text)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  v_person text := nofx_private.person_behind(nofx_private.caller_name());
begin
  if p_gate.status = 'expired' or p_gate.status = 'pending' and p_gate.expires_at <= now() then
    perform nofx_private.refuse(409, 'gate-expired', p_gate.id::text,
      format('The gate expired at %s; retry the step to request approval again.', to_char(p_gate.expires_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
  end if;
  if p_gate.status <> 'pending' then
    perform nofx_private.refuse(409, 'gate-decided', p_gate.id::text,
      format('The gate was %s at %s; decisions are final.', p_gate.status, to_char(p_gate.decided_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
  end if;
  if p_decision <> 'reject' and nofx_private.caller_is_service() and v_person = 'service' then
    perform nofx_private.refuse(403, 'forbidden', 'service', 'People approve: name the person in X-Nofx-Actor.');
  end if;
  if not nofx_private.caller_is_service() and nofx_private.caller_role() < p_gate.role then
    perform nofx_private.refuse(403, 'forbidden', 'role', format('This gate requires the %s role or higher.', p_gate.role));
  end if;
  if p_decision <> 'reject' and nofx_private.caller_key() is not null and not p_gate.keys_may_approve then
    perform nofx_private.refuse(403, 'forbidden', 'api key',
      'People approve: sign in. An admin can let keys do it in the name of their makers, with keys_may_approve in the policy of the tool.');
  end if;
  if p_decision <> 'reject' and not p_gate.author_may_approve
     and exists (select from nofx.run where id = p_gate.run_id and nofx_private.person_behind(created_by) = v_person) then
    perform nofx_private.refuse(403, 'self-approval', p_gate.id::text, 'You submitted this run; someone else must approve it.');
  end if;
  if p_decision <> 'reject' and exists (select from nofx.gate_decision where gate_id = p_gate.id and by = v_person
                                           and decision in ('approve', 'waive')) then
    perform nofx_private.refuse(409, 'already-approved', p_gate.id::text, format('This gate needs approvals from %s different people.', p_gate.approvals_required));
  end if;
end
$$;

-- Emits the result of a gate and wakes the step behind it.
-- Takes: p_gate, decided or expired, whose run is locked.
-- Locks: the step and its queue row.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.resolve_gate(p_gate nofx.gate)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_ready uuid[];
begin
  insert into nofx.event (tenant_id, run_id, step_id, type, data)
  values (p_gate.tenant_id, p_gate.run_id, p_gate.step_id, case when p_gate.status = 'expired' then 'gate.expired' else 'gate.decided' end,
    jsonb_strip_nulls(jsonb_build_object(
      'gate_id', p_gate.id, 'gate_type', p_gate.gate_type, 'status', p_gate.status, 'by', p_gate.decided_by, 'reason', p_gate.reason)));
  -- Its timer, if it has one: a step that still waits for others keeps no row in the queue.
  delete from nofx.step_queue where step_id = p_gate.step_id and state = 'timer';
  with woken as (
    -- A step that parked on the gate continues; a step behind a requested gate has one need less.
    update nofx.step s
       set status = case when r.status = 'paused' then 'pending'
                         when s.status = 'waiting' or s.needs_left <= 1 then 'ready'
                         else s.status end::nofx.step_status,
           needs_left = case when s.status = 'pending' then s.needs_left - 1 else s.needs_left end,
           waits_for = null,
           ready_at = now()
      from nofx.run r
     where s.id = p_gate.step_id and s.gate_id = p_gate.id and r.id = s.run_id and s.status in ('waiting', 'pending')
    returning s.id, s.status
  )
  select array_agg(id) filter (where status = 'ready') into v_ready from woken;
  perform nofx_private.emit(nofx_private.enqueue_steps(v_ready));
end
$$;
