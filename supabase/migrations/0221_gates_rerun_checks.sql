-- Runs a gate again on request of the forge.
-- Takes: p_step; p_repository and p_app, the check's: an id alone would let one repository or App rerun another's gates.
-- Locks: what retry_step locks.
-- Returns: {id, status} of the run.
-- Raises: 403 forbidden when the caller is not the service role; 404 step-not-found; 409 run-not-failed; 409 legal-hold.
create function nofx.rerun_check(p_step uuid, p_repository text, p_app bigint)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_check nofx.check_run;
  v_run json;
begin
  perform nofx_private.require_service('check', 'Only the API reruns checks.');
  select * into v_check from nofx.check_run where step_id = p_step and repository = p_repository and app_id = p_app;
  if not found then
    perform nofx_private.refuse(404, 'step-not-found', p_step::text, 'The repository has no check of this App for this step.');
  end if;
  v_run := nofx.retry_step(v_check.run_id, p_step);
  perform nofx_private.renew_checks(array[v_check.run_id]);
  return v_run;
end
$$;
grant execute on function nofx.rerun_check(uuid, text, bigint) to service_role;

-- Runs all gates of a commit again on request of the forge: those of the failed runs that it shows, the newest 100. Other runs cannot be
-- continued: they are running, or succeeded, or were cancelled, or are under a legal hold.
-- Takes: p_repository, p_head_sha and p_app, the checks'.
-- Locks: the runs (lock_runs); their steps; their rows.
-- Returns: an array of {run_id, step_ids: its gates that run again}; empty when nothing does.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.rerun_checks(p_repository text, p_head_sha text, p_app bigint)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_runs uuid[];
  v_result json;
begin
  perform nofx_private.require_service('check', 'Only the API reruns checks.');
  v_runs := array(
    select distinct c.run_id
      from nofx.check_run c
     where c.repository = p_repository and c.head_sha = p_head_sha and c.app_id = p_app
     order by c.run_id desc limit 100);
  perform nofx_private.lock_runs(v_runs);
  -- Their status is read under the lock.
  v_runs := array(select r.id from nofx.run r where r.id = any (v_runs) and r.status = 'failed' and not nofx_private.is_held(r.tenant_id, r.id) order by r.id);
  with again as (
    select c.run_id, array_agg(c.step_id order by c.step_id) as steps
      from nofx.check_run c
     where c.run_id = any (v_runs)
     group by c.run_id
  )
  select coalesce(json_agg(json_build_object('run_id', a.run_id, 'step_ids', a.steps) order by a.run_id), '[]') into v_result from again a;
  -- Of several tenants: their heads are locked in order, after the runs, as everywhere.
  perform nofx_private.audit(r.tenant_id, 'run.retried', r.id::text, null, null, r.id)
     from (select id, tenant_id from nofx.run where id = any (v_runs) order by tenant_id, id) as r;
  perform nofx_private.reopen_steps(run, nofx_private.steps_to_reopen(run,
            array(select c.step_id from nofx.check_run c where c.run_id = run)), nofx_private.caller_name())
     from unnest(v_runs) as run;
  perform nofx_private.renew_checks(v_runs);
  return v_result;
end
$$;
grant execute on function nofx.rerun_checks(text, text, bigint) to service_role;

-- Lets the gates of these runs that are unfinished again have new checks at the forge: a completed check is not reopened.
-- Takes: p_runs, whose locks are held.
-- Locks: the checks.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.renew_checks(p_runs uuid[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  update nofx.check_run c set reported_status = null, check_id = null, refused = null, locked_until = null, attempts = 0
    from nofx.step s
   where c.run_id = any (p_runs) and s.id = c.step_id and s.status < 'succeeded';
end
$$;
