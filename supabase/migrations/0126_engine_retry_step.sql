-- Retries one step of a failed run and all that depend on it. Steps that these blocked are retried too.
-- Takes: p_run; p_step, a finished step of the run.
-- Locks: the run (lock_runs); its steps; its row.
-- Returns: {id, status}.
-- Raises: 403 forbidden; 404 run-not-found; 404 step-not-found; 409 run-not-failed.
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
  perform nofx_private.reopen_steps(p_run, nofx_private.steps_to_reopen(p_run, array[p_step]), nofx_private.caller_name());
  return json_build_object('id', p_run, 'status', 'running');
end
$$;
grant execute on function nofx.retry_step(uuid, uuid) to authenticated, service_role;

-- Lists what must run again when steps of a run do: all that depend on them, and children of these that did not succeed.
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
    )
    select b.id from below b
    union
    select c.id from nofx.step c where c.parent_id in (select b.id from below b) and c.status <> 'succeeded'
    union
    select s.id from nofx.step s where s.run_id = p_run and s.status = 'skipped' and s.error ->> 'kind' = 'blocked'
       and exists (
         -- Blocked by a step that is reopened.
         select from nofx.step_edge e join below b on b.id = e.needs_id where e.run_id = p_run and e.step_id = s.id));
end
$$;
