-- Cancels a run: steps that have not started are cancelled, workers stop those that run.
-- Takes: p_run; p_reason, stored with the run, its first 2,000 characters, null for none.
-- Locks: the run (lock_runs); the end of the audit log; its queue rows, steps and gates; its row.
-- Returns: {id, status}: cancelled, or cancelling while steps still run. Cancelling again is not an error.
-- Raises: 403 forbidden; 404 run-not-found; 409 run-finished.
create function nofx.cancel_run(p_run uuid, p_reason text default null)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_run nofx.run := nofx_private.lock_run_for_caller(p_run, 'contributor');
begin
  if v_run.status in ('succeeded', 'failed') then
    perform nofx_private.refuse(409, 'run-finished', p_run::text, format('The run has already finished (%s).', v_run.status));
  end if;
  if v_run.status not in ('cancelling', 'cancelled') then
    perform nofx_private.audit(v_run.tenant_id, 'run.cancelled', p_run::text, null,
      case when p_reason is not null then jsonb_build_object('reason', left(p_reason, 2000)) end, p_run);
    perform nofx_private.stop_run(p_run, nofx_private.caller_name(), left(p_reason, 2000));
    select * into v_run from nofx.run where id = p_run;
  end if;
  return json_build_object('id', v_run.id, 'status', v_run.status);
end
$$;
grant execute on function nofx.cancel_run(uuid, text) to nofx_api, service_role;

-- Cancels a run for a person or its deadline.
-- Takes: p_run, an unfinished run whose lock is held; p_by, the actor; p_reason, or null.
-- Locks: its queue rows, steps and gates; its row.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.stop_run(p_run uuid, p_by text, p_reason text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_ended uuid[];
  v_open int;
begin
  delete from nofx.step_queue where step_id in (select id from nofx.step where run_id = p_run);
  update nofx.gate set status = 'cancelled', decided_at = now(), reason = 'the run was cancelled'
   where run_id = p_run and status = 'pending';
  with ended as (
    update nofx.step
       set status = 'cancelled', waits_for = null, ended_at = now(),
           error = jsonb_build_object('kind', 'cancelled', 'message', 'the run was cancelled')
     where run_id = p_run and status in ('pending', 'ready', 'waiting')
    returning id, tenant_id, name, tool
  ), emitted as (
    insert into nofx.event (tenant_id, run_id, step_id, type, data)
    select e.tenant_id, p_run, e.id, 'step.cancelled', jsonb_build_object('name', e.name, 'tool', e.tool) from ended e
  )
  select array_agg(e.id) into v_ended from ended e;

  select open_steps - coalesce(cardinality(v_ended), 0) into v_open from nofx.run where id = p_run;
  with stopped as (
    update nofx.run
       set open_steps = v_open,
           status = case when v_open > 0 then 'cancelling' else 'cancelled' end::nofx.run_status,
           ended_at = case when v_open > 0 then null else now() end,
           error = coalesce(error, jsonb_strip_nulls(jsonb_build_object('by', p_by, 'message', coalesce(p_reason, 'cancelled'))))
     where id = p_run
    returning tenant_id, status
  )
  insert into nofx.event (tenant_id, run_id, type, data)
  select s.tenant_id, p_run, 'run.' || s.status, jsonb_strip_nulls(jsonb_build_object('by', p_by, 'reason', p_reason)) from stopped s;
end
$$;
