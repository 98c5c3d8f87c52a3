-- Checks the caller's role and locks a run for a change.
-- Takes: p_run; p_min_role, the minimum role.
-- Locks: the run (lock_runs).
-- Returns: the run's row, read under the lock.
-- Raises: 403 forbidden; 404 run-not-found, also for another tenant's run.
create function nofx_private.lock_run_for_caller(p_run uuid, p_min_role nofx.person_role)
returns nofx.run
language plpgsql
set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role(p_min_role);
  v_run nofx.run;
begin
  perform nofx_private.lock_runs(array[p_run]);
  select * into v_run from nofx.run where id = p_run and (tenant_id = v_tenant or nofx_private.caller_is_service());
  if not found then
    perform nofx_private.refuse(404, 'run-not-found', p_run::text, 'List runs with GET /api/runs.');
  end if;
  return v_run;
end
$$;
