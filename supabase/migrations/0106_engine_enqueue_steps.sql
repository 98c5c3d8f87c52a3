-- Queues steps that have just become ready: those without a limit at once, others as soon as a slot is free.
-- Takes: p_steps, steps in status ready; null for none.
-- Locks: what admit_steps locks, if a step has a limit.
-- Returns: how many steps it queued.
-- Raises: nothing.
create function nofx_private.enqueue_steps(p_steps uuid[])
returns int
language plpgsql
set search_path = ''
as $$
declare
  v_limited uuid[];
  v_count int;
begin
  if p_steps is null then
    return 0;
  end if;
  with queued as (
    insert into nofx.step_queue (step_id, tenant_id, run_id, state, priority, tool, concurrency_key, due_at)
    select s.id, s.tenant_id, s.run_id,
           case when s.concurrency_key is null and r.max_parallel is null then 'ready' else 'throttled' end::nofx.step_queue_state,
           r.priority, s.tool, s.concurrency_key, now() + interval '10 seconds'
      from nofx.step s
      join nofx.run r on r.id = s.run_id
     where s.id = any (p_steps)
    on conflict (step_id) do update
      set state = excluded.state, due_at = excluded.due_at, wake_count = 0
    returning run_id, state
  )
  select array_agg(distinct run_id) filter (where state = 'throttled'), count(*) into v_limited, v_count from queued;
  if v_limited is not null then
    perform nofx_private.admit_steps(v_limited);
  end if;
  perform nofx_private.wake_workers();
  return v_count;
end
$$;
