-- Counts down needs that finished, and starts or enqueues the steps that have none left.
-- Takes: p_ended, finished steps; p_runs, the run of each, whose locks must be held; p_worker, which may start dependants at once;
--   p_capacity, how many at most; p_tools, tools it can execute, null for all; p_lease, the length of the leases.
-- Locks: the rows of the dependants.
-- Returns: the steps that run now, and events to emit. Other steps that became ready are in the queue.
-- Raises: nothing.
create function nofx_private.release_dependants(p_ended uuid[], p_runs uuid[], p_worker text, p_capacity int, p_tools text[], p_lease interval)
returns nofx_private.started
language plpgsql
set search_path = ''
as $$
declare
  v_ready uuid[];
  v_started nofx_private.started;
begin
  with freed as (
    select e.step_id, count(*)::int as n
      from unnest(p_ended, p_runs) as ended (id, run_id)
      join nofx.step_edge e on e.run_id = ended.run_id and e.needs_id = ended.id
     group by e.step_id
  ), counted as (
    select s.id, s.needs_left - f.n as left_over,
           case
             when s.needs_left > f.n then s.status
             when r.status = 'paused' then 'pending'
             when s.concurrency_key is not null or r.max_parallel is not null then 'ready'
             when p_tools is not null and s.tool <> all (p_tools) then 'ready'
             -- A claim counts its tenant's sandboxes.
             when nofx_private.runs_programs(s.tool, s.spec)
                  and exists (select from nofx.quota q where q.tenant_id = s.tenant_id and q.parallel_sandboxes is not null) then 'ready'
             when row_number() over (partition by s.needs_left > f.n order by r.priority desc, s.id) > p_capacity then 'ready'
             else 'running'
           end::nofx.step_status as next
      from freed f
      join nofx.step s on s.id = f.step_id and s.status in ('pending', 'waiting')
      join nofx.run r on r.id = s.run_id
  ), moved as (
    update nofx.step s
       set needs_left = c.left_over,
           status = c.next,
           waits_for = case when c.next = s.status then s.waits_for end,
           ready_at = case when c.next in ('ready', 'running') then now() else s.ready_at end,
           lease_token = case when c.next = 'running' then gen_random_uuid() end,
           lease_expires_at = case when c.next = 'running' then now() + p_lease end,
           worker = case when c.next = 'running' then p_worker else s.worker end,
           started_at = case when c.next = 'running' then coalesce(s.started_at, now()) else s.started_at end
      from counted c
     where s.id = c.id
    returning s.id, s.run_id, s.tenant_id, s.name, s.tool, s.attempt, s.status
  )
  select array_agg(m.id) filter (where m.status = 'running'),
         array_agg(row (m.tenant_id, m.run_id, m.id, 'step.started', jsonb_build_object(
           'name', m.name, 'tool', m.tool, 'attempt', m.attempt, 'worker', p_worker, 'ready_at', now()))::nofx_private.new_event)
           filter (where m.status = 'running'),
         array_agg(m.id) filter (where m.status = 'ready')
    into v_started.steps, v_started.events, v_ready
    from moved m;

  if v_ready is not null then
    v_started.events := v_started.events || nofx_private.enqueue_steps(v_ready);
  end if;
  return v_started;
end
$$;
