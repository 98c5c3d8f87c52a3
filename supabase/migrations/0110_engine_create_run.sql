-- Creates a run with all its steps, edges, first events and queue rows, or nothing at all.
-- Takes: p_id, the run's id (a repeated id returns the existing run); p_run, {goal, plan, workspace, priority, max_parallel, deadline_s,
--   traceparent, pull_request, created_by (honoured for the service role only)}; p_steps, an array in topological order of {name, tool,
--   position, needs, spec, on_failure, max_attempts, concurrency_key, concurrency_limit}, needs being indexes of earlier elements,
--   from 0; p_tenant, honoured for the service role only. A plan without the key `workspace` gets the tenant's default one. What each field
--   may have, whoever calls, is in run_fault and step_fault.
-- Locks: the end of the audit log; the run's advisory lock, if a step has a limit.
-- Returns: {id, status, steps_total, created_at}.
-- Raises: 403 forbidden; 404 unknown-tenant; 409 id-taken; 429 quota-exceeded; 422 unknown-need; 422 cycle; 422 duplicate-name; 422 empty-plan;
--   422 invalid-plan.
create function nofx.create_run(p_id uuid, p_run jsonb, p_steps jsonb, p_tenant uuid default null)
returns json
language plpgsql
security definer set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  v_tenant uuid := nofx_private.require_role('contributor', p_tenant);
  v_count int;
  v_bad record;
  v_fault text;
  v_ids uuid[];
  v_ready uuid[];
  v_run nofx.run;
begin
  select * into v_run from nofx.run where id = p_id;
  if found then
    if v_run.tenant_id is distinct from v_tenant then
      perform nofx_private.refuse(409, 'id-taken', p_id::text, 'Choose another id.');
    end if;
    return json_build_object('id', v_run.id, 'status', v_run.status, 'steps_total', v_run.steps_total, 'created_at', v_run.created_at);
  end if;
  perform nofx_private.check_quota(v_tenant);
  v_fault := nofx_private.run_fault(p_run);
  if v_fault is not null or p_id is null or jsonb_typeof(p_steps) is distinct from 'array' then
    perform nofx_private.refuse(422, 'invalid-plan', 'run', coalesce(v_fault, 'an id and a list of steps must be given') || '.');
  end if;
  v_count := jsonb_array_length(p_steps);
  if v_count = 0 then
    perform nofx_private.refuse(422, 'empty-plan', 'steps', 'Add at least one step.');
  elsif v_count > 1000 then
    perform nofx_private.refuse(422, 'invalid-plan', 'steps', format('a plan has at most 1,000 steps, not %s.', v_count));
  end if;
  select s.ordinality - 1 as step, nofx_private.step_fault(s.step) as fault into v_bad
    from jsonb_array_elements(p_steps) with ordinality as s (step, ordinality)
   where nofx_private.step_fault(s.step) is not null
   limit 1;
  if found then
    perform nofx_private.refuse(422, 'invalid-plan', format('step %s', v_bad.step), v_bad.fault || '.');
  end if;

  -- Checked again when the step is claimed: a rule may change meanwhile.
  select s.ordinality - 1 as step, nofx_private.secret_fault(v_tenant, s.step ->> 'tool', s.step #> '{spec,secrets}') as fault into v_bad
    from jsonb_array_elements(p_steps) with ordinality as s (step, ordinality)
   where s.step #> '{spec,secrets}' <> '[]'
     and nofx_private.secret_fault(v_tenant, s.step ->> 'tool', s.step #> '{spec,secrets}') is not null
   limit 1;
  if found then
    perform nofx_private.refuse(422, 'invalid-plan', format('step %s', v_bad.step), v_bad.fault || '.');
  end if;

  -- A need is the index of an earlier step, so there are no unknown needs and no cycles.
  select s.ordinality - 1 as step, need.value as need into v_bad
    from jsonb_array_elements(p_steps) with ordinality as s (step, ordinality)
   cross join lateral jsonb_array_elements_text(coalesce(nullif(s.step -> 'needs', 'null'), '[]')) as need (value)
   where need.value::int < 0 or need.value::int >= s.ordinality - 1
   limit 1;
  if found then
    if v_bad.need::int < 0 or v_bad.need::int >= v_count then
      perform nofx_private.refuse(422, 'unknown-need', format('step %s needs step %s', v_bad.step, v_bad.need), 'Name a step of the plan.');
    end if;
    perform nofx_private.refuse(422, 'cycle', format('step %s needs step %s', v_bad.step, v_bad.need),
      'Send each step after the steps that it needs.');
  end if;

  v_ids := nofx_private.uuids_v7(v_count);
  begin
    insert into nofx.run (id, tenant_id, goal, plan, workspace, priority, max_parallel, deadline_at, steps_total, open_steps, created_by, traceparent)
    values (
      p_id, v_tenant, coalesce(p_run ->> 'goal', ''), coalesce(p_run -> 'plan', '{}'),
      -- A plan that says null wants an empty folder.
      case when nullif(p_run -> 'workspace', 'null') is not null then p_run -> 'workspace'
           when not coalesce(p_run -> 'plan' ? 'workspace', false)
           then (select jsonb_build_object('git', w.git, 'ref', w.ref) from nofx.default_workspace w where w.tenant_id = v_tenant) end,
      coalesce((p_run ->> 'priority')::int, 0), (p_run ->> 'max_parallel')::int,
      now() + make_interval(secs => (p_run ->> 'deadline_s')::double precision),
      v_count, v_count,
      case when nofx_private.caller_is_service() then coalesce(p_run ->> 'created_by', 'service') else nofx_private.caller_name() end,
      p_run ->> 'traceparent'
    ) returning * into v_run;
  exception when foreign_key_violation then
    perform nofx_private.refuse(404, 'unknown-tenant', v_tenant::text, 'Ask the operator to create the tenant first.');
  end;

  begin
    with given as (
      select v_ids[s.ordinality] as id, s.*
        from rows from (
          jsonb_to_recordset(p_steps) as (
            name text, tool text, "position" int, needs int[], spec jsonb, on_failure nofx.failure_policy,
            max_attempts int, concurrency_key text, concurrency_limit int
          )
        ) with ordinality as s (name, tool, "position", needs, spec, on_failure, max_attempts, concurrency_key, concurrency_limit, ordinality)
    ),
    edges as (
      insert into nofx.step_edge (tenant_id, run_id, step_id, needs_id)
      select v_tenant, p_id, given.id, v_ids[need + 1]
        from given
       cross join lateral unnest(given.needs) as need
    ),
    made as (
      insert into nofx.step (
        id, tenant_id, run_id, "position", name, tool, spec, on_failure, max_attempts, concurrency_key, concurrency_limit,
        status, needs_left, ready_at
      )
      select id, v_tenant, p_id, coalesce("position", ordinality::int - 1), name, tool, coalesce(spec, '{}'),
             coalesce(on_failure, 'fail'), coalesce(max_attempts, 1), concurrency_key,
             case when concurrency_key is not null then coalesce(concurrency_limit, 1) end,
             case when coalesce(cardinality(needs), 0) = 0 then 'ready' else 'pending' end::nofx.step_status,
             coalesce(cardinality(needs), 0),
             case when coalesce(cardinality(needs), 0) = 0 then now() end
        from given
      returning id, status
    )
    select array_agg(id) filter (where status = 'ready') into v_ready from made;
  exception when unique_violation then
    get stacked diagnostics v_fault = table_name;
    if v_fault = 'step_edge' then
      perform nofx_private.refuse(422, 'invalid-plan', 'needs', 'a step needs another one at most once.');
    end if;
    perform nofx_private.refuse(422, 'duplicate-name', 'steps', 'Use a different name for each step.');
  end;

  -- Before what enqueue_steps locks, as in a settle.
  perform nofx_private.audit(v_tenant, 'run.submitted', p_id::text, null, null, p_id, null, v_run.created_by);
  if nullif(p_run -> 'pull_request', 'null') is not null then
    perform nofx_private.create_checks(p_id, p_run -> 'pull_request');
  end if;
  if v_run.max_parallel is not null then
    perform nofx_private.lock_runs(array[p_id]);
  end if;
  v_count := nofx_private.emit(
    row (v_tenant, p_id, null, 'run.created', jsonb_build_object(
      'goal', v_run.goal, 'steps_total', v_count, 'by', v_run.created_by))::nofx_private.new_event || nofx_private.enqueue_steps(v_ready));
  return json_build_object('id', v_run.id, 'status', v_run.status, 'steps_total', v_run.steps_total, 'created_at', v_run.created_at);
end
$$;
grant execute on function nofx.create_run(uuid, jsonb, jsonb, uuid) to nofx_api, service_role;
