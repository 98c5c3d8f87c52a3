-- Takes ready steps off the queue, fairly: each tenant with work gets its share of what is asked for.
-- Takes: p_capacity, how many at most; p_tools, tools wanted, null for all; p_steps, only these, null for any.
-- Locks: the doorbell rows it takes, skipping those that another claim has.
-- Returns: the ids taken; their doorbells are gone.
-- Raises: nothing.
create function nofx_private.take_doorbells(p_capacity int, p_tools text[], p_steps uuid[])
returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
  v_tenants uuid[];
  v_taken uuid[];
  v_more uuid[];
  v_pivot uuid := gen_random_uuid();
begin
  if p_steps is not null then
    with gone as (
      delete from nofx.doorbell
       where ctid = any (array(
         select ctid from nofx.doorbell
          where step_id = any (p_steps) and kind = 'ready' and (p_tools is null or tool = any (p_tools))
          order by step_id
          limit p_capacity
          for update skip locked))
      returning step_id
    )
    select array_agg(step_id) into v_taken from gone;
    return v_taken;
  end if;

  -- The tenants that have work, by hops through the index (its cost follows the number of tenants, not of rows),
  -- from a random place so that with more tenants than capacity everybody has a turn.
  with recursive hop as (
    (select tenant_id, 1 as n from nofx.doorbell where kind = 'ready' and tenant_id >= v_pivot order by tenant_id limit 1)
    union all
    select (select d.tenant_id from nofx.doorbell d where d.kind = 'ready' and d.tenant_id > hop.tenant_id order by d.tenant_id limit 1), n + 1
      from hop where hop.tenant_id is not null and n < p_capacity
  ), wrapped as (
    (select tenant_id, 1 as n from nofx.doorbell where kind = 'ready' and tenant_id < v_pivot order by tenant_id limit 1)
    union all
    select (select d.tenant_id from nofx.doorbell d where d.kind = 'ready' and d.tenant_id > w.tenant_id and d.tenant_id < v_pivot order by d.tenant_id limit 1), n + 1
      from wrapped w where w.tenant_id is not null and n < p_capacity
  )
  select array_agg(tenant_id) into v_tenants
    from (select tenant_id from hop where tenant_id is not null
          union all
          select tenant_id from wrapped where tenant_id is not null
          limit p_capacity) as found;
  if v_tenants is null then
    return null;
  end if;

  -- By the rows' addresses, which cannot change while they are locked: a join would read the whole table.
  with gone as (
    delete from nofx.doorbell
     where ctid = any (array(
       select taken.ctid
         from unnest(v_tenants) as t (id)
        cross join lateral (
          select d.ctid from nofx.doorbell d
           where d.kind = 'ready' and d.tenant_id = t.id and (p_tools is null or d.tool = any (p_tools))
           order by d.priority desc, d.step_id
           limit greatest(1, p_capacity / cardinality(v_tenants))
           for update skip locked
        ) as taken))
    returning step_id
  )
  select array_agg(step_id) into v_taken from gone;

  -- Shares that others did not use.
  if cardinality(v_tenants) > 1 and coalesce(cardinality(v_taken), 0) < p_capacity then
    with gone as (
      delete from nofx.doorbell
       where ctid = any (array(
         select taken.ctid
           from unnest(v_tenants) as t (id)
          cross join lateral (
            select d.ctid from nofx.doorbell d
             where d.kind = 'ready' and d.tenant_id = t.id and (p_tools is null or d.tool = any (p_tools))
             order by d.priority desc, d.step_id
             limit p_capacity - coalesce(cardinality(v_taken), 0)
             for update skip locked
          ) as taken
          limit p_capacity - coalesce(cardinality(v_taken), 0)))
      returning step_id
    )
    select array_agg(step_id) into v_more from gone;
  end if;
  return v_taken || v_more;
end
$$;

-- Gives ready steps to a worker: a lease each, with a new fencing token.
-- Takes: p_steps, ready steps whose doorbells are gone; p_worker, its name; p_lease, how long the lease holds.
-- Locks: the rows of the steps; of their runs, in id order, when a run begins.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.start_steps(p_steps uuid[], p_worker text, p_lease interval)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_begun uuid[];
begin
  with started as (
    update nofx.step
       set status = 'running',
           lease_token = gen_random_uuid(),
           lease_expires_at = now() + p_lease,
           worker = p_worker,
           -- A step that comes back from a gate, a timer or its children goes on with the attempt that parked.
           started_at = coalesce(started_at, now())
     where id = any (p_steps) and status = 'ready'
    returning id, run_id, tenant_id, name, tool, attempt, ready_at
  ), told as (
    insert into nofx.event (tenant_id, run_id, step_id, type, data)
    select tenant_id, run_id, id, 'step.started', jsonb_build_object(
             'name', name, 'tool', tool, 'attempt', attempt, 'worker', p_worker, 'ready_at', ready_at)
      from started
  )
  select array_agg(distinct s.run_id) into v_begun
    from started s join nofx.run r on r.id = s.run_id and r.status = 'queued';

  if v_begun is not null then
    perform 1 from nofx.run where id = any (v_begun) order by id for update;
    with begun as (
      update nofx.run set status = 'running', started_at = now()
       where id = any (v_begun) and status = 'queued'
      returning id, tenant_id, created_at
    )
    insert into nofx.event (tenant_id, run_id, type, data)
    select tenant_id, id, 'run.started', jsonb_build_object('queued_ms', round(extract(epoch from now() - created_at) * 1000))
      from begun;
  end if;
end
$$;

-- Claims ready steps for a worker.
-- Takes: p_worker, its name; p_capacity, how many at most (0 to 1000); p_tools, tools it can execute, null for all;
--   p_step_ids, the steps a doorbell named, null for any; p_lease, how long the leases hold.
-- Locks: the doorbells and steps it claims, skipping those of other claims; their runs when they begin.
-- Returns: a JSON array of steps as describe_steps gives them; empty when there is nothing to do.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.claim_steps(
  p_worker text,
  p_capacity int,
  p_tools text[] default null,
  p_step_ids uuid[] default null,
  p_lease interval default '30 seconds'
)
returns json
language plpgsql
security definer set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  v_taken uuid[];
begin
  if not nofx_private.caller_is_service() then
    perform nofx_private.refuse(403, 'forbidden', 'claim', 'Only workers claim steps.');
  end if;
  if p_capacity <= 0 then
    return '[]';
  end if;
  v_taken := nofx_private.take_doorbells(least(p_capacity, 1000), p_tools, p_step_ids);
  if v_taken is null then
    return '[]';
  end if;
  perform nofx_private.start_steps(v_taken, p_worker, p_lease);
  return nofx_private.hand_out_steps(v_taken, p_lease);
end
$$;
grant execute on function nofx.claim_steps(text, int, text[], uuid[], interval) to service_role;
