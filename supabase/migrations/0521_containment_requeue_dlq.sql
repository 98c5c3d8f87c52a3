-- Selects dead letters of a tenant.
-- Takes: p_tenant; p_ids, p_tool, p_run, p_reason, p_before: filters, null for any; p_limit.
-- Locks: nothing.
-- Returns: the dead letters, oldest first.
-- Raises: nothing.
create function nofx_private.select_dead_letters(
  p_tenant uuid, p_ids uuid[], p_tool text, p_run uuid, p_reason nofx.dlq_reason, p_before timestamptz, p_limit int
)
returns setof nofx.step_dlq
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
  select * from nofx.step_dlq d
   where d.tenant_id = p_tenant
     and (p_ids is null or d.id = any (p_ids))
     and (p_tool is null or d.tool = p_tool)
     and (p_run is null or d.run_id = p_run)
     and (p_reason is null or d.reason = p_reason)
     and (p_before is null or d.created_at < p_before)
   order by d.created_at, d.id
   limit least(greatest(p_limit, 1), 1000);
end
$$;

-- Requeues dead letters: their runs continue, with all steps that failed or were blocked.
-- Takes: p_ids, p_tool, p_run, p_reason, p_before: filters, null for any; p_limit, 1 to 1000, oldest first; p_dry_run, to change
--   nothing.
-- Locks: the runs (lock_runs); their steps; their rows.
-- Returns: {requeued: ids, refused: [{id, reason}], dry_run}. Only failed runs can be reopened.
-- Raises: 403 forbidden when the caller's role is below contributor; 409 legal-hold when a run that would be reopened is under a legal
--   hold.
create function nofx.requeue_dlq(
  p_ids uuid[] default null,
  p_tool text default null,
  p_run uuid default null,
  p_reason nofx.dlq_reason default null,
  p_before timestamptz default null,
  p_limit int default 100,
  p_dry_run boolean default false
)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('contributor');
  v_runs uuid[];
  v_run uuid;
  v_answer json;
begin
  select array_agg(distinct run_id) into v_runs
    from nofx_private.select_dead_letters(v_tenant, p_ids, p_tool, p_run, p_reason, p_before, p_limit);
  if v_runs is null then
    return json_build_object('requeued', '[]'::json, 'refused', '[]'::json, 'dry_run', p_dry_run);
  end if;
  perform nofx_private.lock_runs(v_runs);
  select json_build_object(
           'requeued', coalesce(json_agg(d.id) filter (where r.status = 'failed'), '[]'),
           'refused', coalesce(json_agg(json_build_object('id', d.id, 'reason', 'its run is ' || r.status)) filter (where r.status <> 'failed'), '[]'),
           'dry_run', p_dry_run),
         array_agg(distinct d.run_id) filter (where r.status = 'failed')
    into v_answer, v_runs
    from nofx_private.select_dead_letters(v_tenant, p_ids, p_tool, p_run, p_reason, p_before, p_limit) as d
    join nofx.run r on r.id = d.run_id;
  perform nofx_private.refuse_held(v_tenant, v_runs);
  if not p_dry_run and v_runs is not null then
    perform nofx_private.audit(v_tenant, 'dlq.requeued', 'nofx.step_dlq', null, v_answer::jsonb);
    -- Each run is reopened as by retry_run.
    foreach v_run in array v_runs loop
      perform nofx_private.reopen_steps(v_run,
        array(select id from nofx.step
               where run_id = v_run
                 and (status in ('failed', 'timed_out') or status = 'skipped' and error ->> 'kind' = 'blocked')),
        nofx_private.caller_name());
    end loop;
  end if;
  return v_answer;
end
$$;
grant execute on function nofx.requeue_dlq(uuid[], text, uuid, nofx.dlq_reason, timestamptz, int, boolean) to nofx_api;
