-- Pauses a run: running steps finish, no new steps start.
-- Takes: p_run.
-- Locks: the run (lock_runs); the end of the audit log; its queue rows and ready steps; its row.
-- Returns: {id, status}. Pausing again is not an error.
-- Raises: 403 forbidden; 404 run-not-found; 409 run-finished.
create function nofx.pause_run(p_run uuid)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_run nofx.run := nofx_private.lock_run_for_caller(p_run, 'contributor');
begin
  if v_run.status not in ('queued', 'running', 'paused') then
    perform nofx_private.refuse(409, 'run-finished', p_run::text, format('The run is %s and cannot be paused.', v_run.status));
  end if;
  if v_run.status <> 'paused' then
    perform nofx_private.audit(v_run.tenant_id, 'run.paused', p_run::text, null, null, p_run);
    -- Timers stay: a step whose timer fires during the pause becomes pending until the run is resumed.
    delete from nofx.step_queue where step_id in (select id from nofx.step where run_id = p_run) and state not in ('timer', 'breaker');
    update nofx.step set status = 'pending' where run_id = p_run and status = 'ready';
    update nofx.run set status = 'paused' where id = p_run;
    insert into nofx.event (tenant_id, run_id, type, data)
    values (v_run.tenant_id, p_run, 'run.paused', jsonb_build_object('by', nofx_private.caller_name()));
  end if;
  return json_build_object('id', p_run, 'status', 'paused');
end
$$;
grant execute on function nofx.pause_run(uuid) to nofx_api, service_role;
