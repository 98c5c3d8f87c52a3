-- Rings for steps that have just become ready: those without a limit at once, the others as soon as a slot is free.
-- Takes: p_steps, steps in status ready; null for none.
-- Locks: what admit_steps locks, if one of them has a limit.
-- Returns: how many steps it rang or holds.
-- Raises: nothing.
create function nofx_private.make_ready(p_steps uuid[])
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
  with rung as (
    insert into nofx.doorbell (step_id, tenant_id, run_id, kind, priority, tool, concurrency_key, ring_at)
    select s.id, s.tenant_id, s.run_id,
           case when s.concurrency_key is null and r.max_parallel is null then 'ready' else 'held' end::nofx.doorbell_kind,
           r.priority, s.tool, s.concurrency_key, now() + interval '10 seconds'
      from nofx.step s
      join nofx.run r on r.id = s.run_id
     where s.id = any (p_steps)
    on conflict (step_id) do update
      set kind = excluded.kind, ring_at = excluded.ring_at, rings = 0
    returning run_id, kind
  )
  select array_agg(distinct run_id) filter (where kind = 'held'), count(*) into v_limited, v_count from rung;
  if v_limited is not null then
    perform nofx_private.admit_steps(v_limited);
  end if;
  perform nofx_private.ring();
  return v_count;
end
$$;
