-- Resumes a paused run.
-- Takes: p_run.
-- Locks: the run (lock_runs); the end of the audit log; its steps; its row.
-- Returns: {id, status}. Resuming a running run is not an error.
-- Raises: 403 forbidden; 404 run-not-found; 409 run-finished.
create function nofx.resume_run(p_run uuid)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_run nofx.run := nofx_private.lock_run_for_caller(p_run, 'contributor');
  v_ready uuid[];
begin
  if v_run.status not in ('queued', 'running', 'paused') then
    perform nofx_private.refuse(409, 'run-finished', p_run::text, format('The run is %s and cannot be resumed.', v_run.status));
  end if;
  if v_run.status = 'paused' then
    perform nofx_private.audit(v_run.tenant_id, 'run.resumed', p_run::text, null, null, p_run);
    update nofx.run set status = 'running', started_at = coalesce(started_at, now()) where id = p_run;
    with readied as (
      update nofx.step set status = 'ready', ready_at = now()
       where run_id = p_run and status = 'pending' and needs_left = 0
      returning id
    )
    select array_agg(id) into v_ready from readied;
    insert into nofx.event (tenant_id, run_id, type, data)
    values (v_run.tenant_id, p_run, 'run.resumed', jsonb_build_object('by', nofx_private.caller_name()));
    perform nofx_private.emit(nofx_private.enqueue_steps(v_ready));
  end if;
  return json_build_object('id', p_run, 'status', case when v_run.status = 'paused' then 'running' else v_run.status end);
end
$$;
grant execute on function nofx.resume_run(uuid) to nofx_api, service_role;
