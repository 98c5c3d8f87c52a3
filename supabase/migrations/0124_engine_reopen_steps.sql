-- Reopens steps of a failed run and continues the run.
-- Takes: p_run, a failed run whose lock is held; p_steps, finished steps; p_by, the actor; p_reason, or null.
-- Locks: the steps; the run's row; their dead letters.
-- Returns: nothing. Steps whose needs have all finished become ready, others pending. A for_each step keeps its children and their
--   results; it waits for those that are reopened with it, and these for what it needs itself.
-- Raises: nothing.
create function nofx_private.reopen_steps(p_run uuid, p_steps uuid[], p_by text, p_reason text default null)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_ready uuid[];
begin
  -- Children may read what their parent needs, so they must not start before it has finished again.
  with shared as materialized (
    -- Few rows: the steps of the plan, without the children that a parent needs too.
    select p.id as parent_id, n.id as needs_id
      from nofx.step n
      join nofx.step_edge e on e.run_id = p_run and e.needs_id = n.id
      join nofx.step p on p.id = e.step_id and p.spec ->> 'for_each' is not null
     where n.run_id = p_run and n.parent_id is null and n.id = any (p_steps)
  )
  insert into nofx.step_edge (tenant_id, run_id, step_id, needs_id)
  select c.tenant_id, p_run, c.id, s.needs_id
    from shared s
    join nofx.step c on c.parent_id = s.parent_id
   where c.id = any (p_steps)
  on conflict do nothing;

  with need as (
    select s.id,
           count(n.id)::int as left_over,
           count(*) filter (where n.parent_id = s.id) as children_left
      from nofx.step s
      left join nofx.step_edge e on e.run_id = p_run and e.step_id = s.id
      left join nofx.step n on n.id = e.needs_id and (n.id = any (p_steps) or n.ended_at is null)
     where s.id = any (p_steps)
     group by s.id
  ), opened as (
    update nofx.step s
       -- A for_each step that needs other steps too is pending, so that it is blocked if one of them fails.
       set status = case when n.left_over = 0 then 'ready' when n.left_over = n.children_left then 'waiting' else 'pending' end::nofx.step_status,
           waits_for = case when n.left_over > 0 and n.left_over = n.children_left then 'child' end::nofx.wait_reason,
           needs_left = n.left_over,
           attempt = s.attempt + exists (
             select from nofx.step_attempt a where a.run_id = p_run and a.step_id = s.id and a.attempt = s.attempt)::int,
           failures = 0, expired_leases = 0, inputs = null, outputs = null, error = null, gate_id = null, tree = null, snapshot = null,
           parked_isolation = null, parked_usage = null,
           ready_at = case when n.left_over = 0 then now() end,
           started_at = null, ended_at = null
      from need n
     where s.id = n.id
    returning s.id, s.tenant_id, s.name, s.tool, s.status, s.attempt
  ), emitted as (
    insert into nofx.event (tenant_id, run_id, step_id, type, data)
    select o.tenant_id, p_run, o.id, 'step.reopened', jsonb_build_object('name', o.name, 'tool', o.tool, 'attempt', o.attempt, 'by', p_by)
      from opened o
  ), run as (
    update nofx.run r
       set status = 'running', ended_at = null, open_steps = r.open_steps + (select count(*) from opened),
           error = (
             -- A step that failed the run and is not reopened still does.
             select jsonb_build_object('step', f.name, 'step_id', f.id, 'message', f.error ->> 'message')
               from nofx.step f
              where f.run_id = p_run and f.parent_id is null and f.status in ('failed', 'timed_out') and f.id <> all (p_steps)
                and (f.on_failure = 'fail' or f.on_failure = 'continue' and (f.tool like 'gate:%' or f.tool like 'manual:%'))
              order by f.ended_at, f.id
              limit 1)
     where r.id = p_run
    returning r.tenant_id
  ), run_emitted as (
    insert into nofx.event (tenant_id, run_id, type, data)
    select r.tenant_id, p_run, 'run.retried', jsonb_strip_nulls(jsonb_build_object('by', p_by, 'reason', p_reason)) from run r
  )
  select array_agg(o.id) filter (where o.status = 'ready') into v_ready from opened o;
  delete from nofx.step_dlq where step_id = any (p_steps);
  perform nofx_private.emit(nofx_private.enqueue_steps(v_ready));
end
$$;
