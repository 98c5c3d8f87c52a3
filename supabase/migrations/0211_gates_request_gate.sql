-- Adds a gate to a step that has not started: the step needs the decision as it needs other steps.
-- Takes: p_run; p_step, a pending or ready step of it; p_gate_type, manual:<name>; p_question, shown to the people who decide.
-- Locks: the run (lock_runs); the end of the audit log; the step and its queue row.
-- Returns: the gate {id, run_id, step_id, gate_type, status}. It expires as the approval does that plan or policy require; then the step
--   fails.
-- Raises: 403 forbidden; 404 run-not-found; 404 step-not-found; 409 step-started; 422 unknown-gate-type.
create function nofx.request_gate(p_run uuid, p_step uuid, p_gate_type text, p_question text default null)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_run nofx.run := nofx_private.lock_run_for_caller(p_run, 'supervisor');
  v_gate uuid := nofx_private.uuid_v7();
  v_step nofx.step;
  v_approval jsonb;
  v_expires_at timestamptz;
begin
  if p_gate_type !~ '^manual:[A-Za-z0-9_.-]{1,80}$' then
    perform nofx_private.refuse(422, 'unknown-gate-type', p_gate_type, 'Use manual:<name>; tools decide the other gates.');
  end if;
  if not exists (select from nofx.step where id = p_step and run_id = p_run) then
    perform nofx_private.refuse(404, 'step-not-found', p_step::text, 'List the steps with GET /api/runs/{id}.');
  end if;
  perform nofx_private.audit(v_run.tenant_id, 'gate.requested', v_gate::text, null,
    jsonb_strip_nulls(jsonb_build_object('gate_type', p_gate_type, 'question', p_question)), p_run, p_step);
  delete from nofx.step_queue where step_id = p_step;
  update nofx.step
     set status = 'pending', needs_left = needs_left + 1, gate_id = v_gate
   where id = p_step and status in ('pending', 'ready') and gate_id is null;
  if not found then
    perform nofx_private.refuse(409, 'step-started', p_step::text, 'A gate can be added only to a step that has not started and has no gate.');
  end if;
  -- The gate replaces the approval that the step needs anyway, so it requires no less and waits no longer.
  select * into v_step from nofx.step where id = p_step;
  v_approval := coalesce(nofx_private.approval_for(v_step, nofx_private.policy_for(v_step)), '{"role": "supervisor", "count": 1, "author_may_approve": true, "keys_may_approve": false}');
  v_expires_at := now() + make_interval(secs => (v_approval ->> 'expires_s')::int);
  insert into nofx.gate (id, tenant_id, run_id, step_id, gate_type, question, role, approvals_required, author_may_approve, keys_may_approve, expires_at)
  values (v_gate, v_run.tenant_id, p_run, p_step, p_gate_type, p_question,
    (v_approval ->> 'role')::nofx.person_role, (v_approval ->> 'count')::int, (v_approval ->> 'author_may_approve')::boolean,
    (v_approval ->> 'keys_may_approve')::boolean, v_expires_at);
  if v_expires_at is not null then
    insert into nofx.step_queue (step_id, tenant_id, run_id, state, priority, tool, due_at)
    values (p_step, v_run.tenant_id, p_run, 'timer', 0, p_gate_type, v_expires_at);
  end if;
  insert into nofx.event (tenant_id, run_id, step_id, type, data)
  values (v_run.tenant_id, p_run, p_step, 'gate.requested', jsonb_strip_nulls(jsonb_build_object(
    'gate_id', v_gate, 'question', p_question, 'by', nofx_private.caller_name())));
  return json_build_object('id', v_gate, 'run_id', p_run, 'step_id', p_step, 'gate_type', p_gate_type, 'status', 'pending');
end
$$;
grant execute on function nofx.request_gate(uuid, uuid, text, text) to nofx_api, service_role;
