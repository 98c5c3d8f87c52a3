-- Retries a failed run: all failed steps, and the steps that they blocked.
-- Takes: p_run; p_reason, for the event log, cut at 2000 characters.
-- Locks: the run (lock_runs); the end of the audit log; its steps; its row.
-- Returns: {id, status}.
-- Raises: 403 forbidden; 404 run-not-found; 409 run-not-failed; 409 legal-hold.
create function nofx.retry_run(p_run uuid, p_reason text default null)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_run nofx.run := nofx_private.lock_run_for_caller(p_run, 'contributor');
begin
  if v_run.status <> 'failed' then
    perform nofx_private.refuse(409, 'run-not-failed', p_run::text, format('The run is %s; only a failed run can be retried.', v_run.status));
  end if;
  perform nofx_private.refuse_held(v_run.tenant_id, array[p_run]);
  perform nofx_private.audit(v_run.tenant_id, 'run.retried', p_run::text, null,
    case when p_reason is not null then jsonb_build_object('reason', left(p_reason, 2000)) end, p_run);
  perform nofx_private.reopen_steps(p_run,
    array(select id from nofx.step
           where run_id = p_run
             and (status in ('failed', 'timed_out') or status = 'skipped' and error ->> 'kind' = 'blocked')),
    nofx_private.caller_name(), left(p_reason, 2000));
  return json_build_object('id', p_run, 'status', 'running');
end
$$;
grant execute on function nofx.retry_run(uuid, text) to nofx_api, service_role;
