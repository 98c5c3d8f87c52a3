-- Retries one step of a failed run and all that depend on it. Steps that were skipped because the run failed are retried too, unless
-- another failed step still blocks them.
-- Takes: p_run; p_step, a finished step of the run.
-- Locks: the run (lock_runs); the end of the audit log; its steps; its row.
-- Returns: {id, status}.
-- Raises: 403 forbidden; 404 run-not-found; 404 step-not-found; 409 run-not-failed; 409 legal-hold.
create function nofx.retry_step(p_run uuid, p_step uuid)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_run nofx.run := nofx_private.lock_run_for_caller(p_run, 'contributor');
begin
  if not exists (select from nofx.step where id = p_step and run_id = p_run) then
    perform nofx_private.refuse(404, 'step-not-found', p_step::text, 'List the steps with GET /api/runs/{id}.');
  end if;
  if v_run.status <> 'failed' then
    perform nofx_private.refuse(409, 'run-not-failed', p_run::text, format('The run is %s; only steps of a failed run can be retried.', v_run.status));
  end if;
  perform nofx_private.refuse_held(v_run.tenant_id, array[p_run]);
  perform nofx_private.audit(v_run.tenant_id, 'step.retried', p_step::text, null, null, p_run, p_step);
  perform nofx_private.reopen_steps(p_run, nofx_private.steps_to_reopen(p_run, array[p_step]), nofx_private.caller_name());
  return json_build_object('id', p_run, 'status', 'running');
end
$$;
grant execute on function nofx.retry_step(uuid, uuid) to nofx_api, service_role;

-- Lists what must run again when steps of a run do: all that depend on them, those that were skipped because the run failed unless another
-- failed step still blocks them, and children of all these that did not succeed.
-- Takes: p_run; p_steps, steps of it.
-- Locks: nothing.
-- Returns: these steps and the others.
-- Raises: nothing.
create function nofx_private.steps_to_reopen(p_run uuid, p_steps uuid[])
returns uuid[]
language plpgsql
stable
set search_path = ''
as $$
begin
  return array(
    with recursive below as (
      select unnest(p_steps) as id
      union
      select e.step_id from below b join nofx.step_edge e on e.run_id = p_run and e.needs_id = b.id
        -- Children are chosen last, by their status.
        join nofx.step s on s.id = e.step_id and s.parent_id is null
    ), failed as (
      -- What stays failed.
      select s.id, s.on_failure, s.on_failure = 'skip' or s.tool like 'gate:%' or s.tool like 'manual:%' as blocks_dependants
        from nofx.step s
       where s.run_id = p_run and s.parent_id is null and s.status in ('failed', 'timed_out') and s.id not in (select b.id from below b)
    ), blocked as (
      select e.step_id as id from failed f join nofx.step_edge e on e.run_id = p_run and e.needs_id = f.id where f.blocks_dependants
      union
      select e.step_id from blocked b join nofx.step_edge e on e.run_id = p_run and e.needs_id = b.id
    ), chosen as (
      select b.id from below b
      union
      -- Skipped because the run failed, and nothing else stops it.
      select s.id
        from nofx.step s
       where s.run_id = p_run and s.parent_id is null and s.status = 'skipped' and s.error ->> 'kind' = 'blocked'
         and s.id not in (select b.id from blocked b)
         and not exists (select from failed f where f.on_failure = 'fail')
    )
    select c.id from chosen c
    union
    select s.id from nofx.step s where s.parent_id in (select c.id from chosen c) and s.status <> 'succeeded');
end
$$;
