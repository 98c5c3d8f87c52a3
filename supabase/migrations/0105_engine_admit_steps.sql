-- Admits throttled steps as far as the limits of their run (max_parallel) and of their concurrency key allow.
-- A slot is occupied from the moment a step can be claimed until it leaves `running`, so that a claim has nothing to check.
-- Takes: p_runs, runs in which a step ended or became ready; their locks must be held.
-- Locks: an advisory lock for each concurrency key concerned, in order; the queue rows it admits.
-- Returns: events to emit, one for each step that a worker may claim now.
-- Raises: nothing.
create function nofx_private.admit_steps(p_runs uuid[])
returns nofx_private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_keys text[];
  v_events nofx_private.new_event[];
begin
  -- The keys of steps that are throttled here, and of those that just ended here (other runs may wait for them).
  select array_agg(distinct concurrency_key) into v_keys
    from nofx.step
   where run_id = any (p_runs) and concurrency_key is not null;
  perform pg_advisory_xact_lock(key)
     from (
       select distinct hashtextextended(s.tenant_id::text || s.concurrency_key, 2) as key
         from nofx.step s
        where s.run_id = any (p_runs) and s.concurrency_key is not null
        order by 1
     ) as ordered;

  with throttled as materialized (
    -- Steps of these runs, whose locks are held; and, for a key that may have become free, steps of other runs. Runs with a
    -- max_parallel only if their lock is free: its holder admits their steps itself.
    select d.step_id, d.run_id, d.tenant_id, d.concurrency_key, s.concurrency_limit, d.priority, r.max_parallel
      from nofx.run r
     cross join lateral (
       select q.*
         from nofx.step_queue q
        where q.state = 'throttled' and q.run_id = r.id
        order by q.step_id
        -- No more can be admitted; the others of a large run are not read with each settle. A key may hold any of them.
        limit case when v_keys is null then r.max_parallel end
     ) as d
      join nofx.step s on s.id = d.step_id
     where r.id = any (p_runs)
    union
    select d.step_id, d.run_id, d.tenant_id, d.concurrency_key, s.concurrency_limit, d.priority, r.max_parallel
      from nofx.step_queue d
      join nofx.step s on s.id = d.step_id
      join nofx.run r on r.id = d.run_id
     where d.state = 'throttled'
       and d.concurrency_key = any (v_keys)
       and d.tenant_id in (select tenant_id from nofx.run where id = any (p_runs))
       and (r.max_parallel is null or pg_try_advisory_xact_lock(uuid_hash_extended(d.run_id, 1)))
  ),
  key_use as materialized (
    select k.tenant_id, k.concurrency_key, (
             select count(*)
               from nofx.concurrency_slot s
              where s.tenant_id = k.tenant_id
                and s.concurrency_key = k.concurrency_key
                -- A step whose lease expired is throttled again: its own slot must not block it.
                and not exists (select from nofx.step_queue d where d.step_id = s.step_id and d.state = 'throttled')
           ) as used
      from (select distinct tenant_id, concurrency_key from throttled where concurrency_key is not null) as k
  ),
  run_use as materialized (
    select r.run_id, (
             select count(*)
               from nofx.step s
              where s.run_id = r.run_id
                and s.status in ('ready', 'running')
                and not exists (select from nofx.step_queue d where d.step_id = s.id and d.state = 'throttled')
           ) as used
      from (select distinct run_id from throttled where max_parallel is not null) as r
  ),
  within_key as (
    select h.*, k.used as key_used,
           row_number() over (partition by h.tenant_id, h.concurrency_key order by h.priority desc, h.step_id) as key_turn
      from throttled h
      left join key_use k on k.tenant_id = h.tenant_id and k.concurrency_key = h.concurrency_key
  ),
  within_run as (
    select k.step_id, k.tenant_id, k.run_id, k.concurrency_key, k.max_parallel, u.used as run_used,
           row_number() over (partition by k.run_id order by k.step_id) as run_turn
      from within_key k
      left join run_use u on u.run_id = k.run_id
     where k.concurrency_key is null or k.key_turn + k.key_used <= k.concurrency_limit
  ), admitted as (
    select * from within_run where max_parallel is null or run_turn + run_used <= max_parallel
  ), placed as (
    insert into nofx.concurrency_slot (step_id, tenant_id, run_id, concurrency_key)
    select step_id, tenant_id, run_id, concurrency_key from admitted where concurrency_key is not null
    on conflict (step_id) do nothing
  ), ready as (
    update nofx.step_queue
       set state = 'ready', due_at = now() + interval '10 seconds'
      from admitted a
     where step_queue.step_id = a.step_id
    returning a.step_id
  )
  select array_agg(row (s.tenant_id, s.run_id, s.id, 'step.ready', jsonb_build_object(
           'name', s.name, 'tool', s.tool, 'attempt', s.attempt))::nofx_private.new_event order by s.id)
    into v_events
    from ready join nofx.step s on s.id = ready.step_id;
  if v_events is not null then
    perform nofx_private.wake_workers();
  end if;
  return v_events;
end
$$;
