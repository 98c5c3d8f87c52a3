-- Queues steps that have just become ready: those without a limit at once, others as soon as a slot is free.
-- Takes: p_steps, steps in status ready; null for none.
-- Locks: what admit_steps locks, if a step has a limit.
-- Returns: events to emit, one for each step that a worker may claim now; null for none.
-- Raises: nothing.
create function nofx_private.enqueue_steps(p_steps uuid[])
returns nofx_private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_limited uuid[];
  v_events nofx_private.new_event[];
begin
  if p_steps is null then
    return null;
  end if;
  with steps as (
    select s.id, s.tenant_id, s.run_id, s.name, s.tool, s.attempt, s.concurrency_key, r.priority,
           case when s.concurrency_key is null and r.max_parallel is null then 'ready' else 'throttled' end::nofx.step_queue_state as state
      from nofx.step s
      join nofx.run r on r.id = s.run_id
     where s.id = any (p_steps)
  ), queued as (
    insert into nofx.step_queue (step_id, tenant_id, run_id, state, priority, tool, concurrency_key, due_at)
    select id, tenant_id, run_id, state, priority, tool, concurrency_key, now() + interval '10 seconds'
      from steps
    on conflict (step_id) do update
      set state = excluded.state, due_at = excluded.due_at, wake_count = 0
  )
  select array_agg(distinct run_id) filter (where state = 'throttled'),
         array_agg(row (tenant_id, run_id, id, 'step.ready', jsonb_build_object(
           'name', name, 'tool', tool, 'attempt', attempt))::nofx_private.new_event order by id) filter (where state = 'ready')
    into v_limited, v_events
    from steps;
  if v_limited is not null then
    v_events := v_events || nofx_private.admit_steps(v_limited);
  end if;
  perform nofx_private.wake_workers();
  return v_events;
end
$$;
