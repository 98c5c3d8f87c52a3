-- Lists tenants with ready steps by skipping through the index: the cost follows the number of tenants, not of rows. Starts at a
-- random tenant, so that all get their turn when there are more than p_limit.
-- Takes: p_limit, how many tenants at most.
-- Locks: nothing.
-- Returns: the tenants; null for none.
-- Raises: nothing.
create function nofx_private.tenants_with_ready_steps(p_limit int)
returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
  v_tenants uuid[];
  v_pivot uuid := gen_random_uuid();
  v_tenant uuid := v_pivot;
begin
  -- From the random start on, then from the beginning up to it.
  loop
    select tenant_id into v_tenant from nofx.step_queue where state = 'ready' and tenant_id > v_tenant order by tenant_id limit 1;
    exit when v_tenant is null or cardinality(v_tenants) >= p_limit;
    v_tenants := v_tenants || v_tenant;
  end loop;
  v_tenant := '00000000-0000-0000-0000-000000000000';
  loop
    select tenant_id into v_tenant from nofx.step_queue
     where state = 'ready' and tenant_id > v_tenant and tenant_id <= v_pivot order by tenant_id limit 1;
    exit when v_tenant is null or cardinality(v_tenants) >= p_limit;
    v_tenants := v_tenants || v_tenant;
  end loop;
  return v_tenants;
end
$$;

-- Dequeues ready steps fairly: each tenant gets an equal share of the capacity.
-- Takes: p_tenants; p_capacity, how many steps at most; p_tools, null for all.
-- Locks: the queue rows it deletes, skipping those that another claim has locked.
-- Returns: the dequeued steps.
-- Raises: nothing.
create function nofx_private.dequeue_steps(p_tenants uuid[], p_capacity int, p_tools text[])
returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
  v_share int := greatest(1, p_capacity / cardinality(p_tenants));
  v_round uuid[];
  v_taken uuid[];
begin
  -- The first round gives each tenant its share, the second the shares that others did not use.
  for v_n in 1..2 loop
    -- By ctid, which cannot change while rows are locked: a join would read the whole table.
    with gone as (
      delete from nofx.step_queue
       where ctid = any (array(
         select turn.ctid
           from unnest(p_tenants) as t (id)
          cross join lateral (
            select d.ctid from nofx.step_queue d
             where d.state = 'ready' and d.tenant_id = t.id and (p_tools is null or d.tool = any (p_tools))
             order by d.priority desc, d.step_id
             limit v_share
             for update skip locked
          ) as turn
          limit p_capacity - coalesce(cardinality(v_taken), 0)))
      returning step_id
    )
    select array_agg(step_id) into v_round from gone;
    v_taken := v_taken || v_round;
    v_share := p_capacity - coalesce(cardinality(v_taken), 0);
    exit when cardinality(p_tenants) = 1 or v_share = 0;
  end loop;
  return v_taken;
end
$$;

-- Dequeues the steps that a wake-up named.
-- Takes: p_steps; p_capacity, how many at most; p_tools, null for all.
-- Locks: the queue rows it deletes, skipping those that another claim has locked.
-- Returns: the dequeued steps.
-- Raises: nothing.
create function nofx_private.dequeue_named_steps(p_steps uuid[], p_capacity int, p_tools text[])
returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
  v_taken uuid[];
begin
  with gone as (
    delete from nofx.step_queue
     where ctid = any (array(
       select ctid from nofx.step_queue
        where step_id = any (p_steps) and state = 'ready' and (p_tools is null or tool = any (p_tools))
        order by step_id
        limit p_capacity
        for update skip locked))
    returning step_id
  )
  select array_agg(step_id) into v_taken from gone;
  return v_taken;
end
$$;

-- Leases ready steps to a worker, each with a new fencing token.
-- Takes: p_steps, ready steps that were dequeued; p_worker, its name; p_lease, the length of the leases.
-- Locks: the rows of the steps; of their runs, in id order, when a run starts.
-- Returns: events to emit.
-- Raises: nothing.
create function nofx_private.start_steps(p_steps uuid[], p_worker text, p_lease interval)
returns nofx_private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_events nofx_private.new_event[];
  v_begun uuid[];
  v_runs nofx_private.new_event[];
begin
  with started as (
    update nofx.step
       set status = 'running',
           lease_token = gen_random_uuid(),
           lease_expires_at = now() + p_lease,
           worker = p_worker,
           -- A step that was parked continues the same attempt.
           started_at = coalesce(started_at, now())
     where id = any (p_steps) and status = 'ready'
    returning id, run_id, tenant_id, name, tool, attempt, ready_at
  )
  select array_agg(row (s.tenant_id, s.run_id, s.id, 'step.started', jsonb_build_object(
           'name', s.name, 'tool', s.tool, 'attempt', s.attempt, 'worker', p_worker, 'ready_at', s.ready_at))::nofx_private.new_event),
         array_agg(s.run_id) filter (where r.status = 'queued')
    into v_events, v_begun
    from started s join nofx.run r on r.id = s.run_id;

  if v_begun is not null then
    perform 1 from nofx.run where id = any (v_begun) order by id for update;
    with begun as (
      update nofx.run set status = 'running', started_at = now()
       where id = any (v_begun) and status = 'queued'
      returning id, tenant_id, created_at
    )
    select array_agg(row (b.tenant_id, b.id, null, 'run.started', jsonb_build_object(
             'queued_ms', round(extract(epoch from now() - b.created_at) * 1000)))::nofx_private.new_event)
      into v_runs
      from begun b;
  end if;
  return v_runs || v_events;
end
$$;

-- Claims ready steps for a worker.
-- Takes: p_worker, its name; p_capacity, how many at most (0 to 1000); p_tools, tools it can execute, null for all;
--   p_step_ids, the steps that a wake-up named, null for any; p_lease, the length of the leases.
-- Locks: the queue rows and steps it claims, skipping those of other claims; their runs when they start.
-- Returns: a JSON array of steps as describe_steps returns them; empty for none.
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
  v_capacity int := least(p_capacity, 1000);
  v_tenants uuid[];
  v_taken uuid[];
  v_count int;
begin
  if not nofx_private.caller_is_service() then
    perform nofx_private.refuse(403, 'forbidden', 'claim', 'Only workers claim steps.');
  end if;
  if p_capacity <= 0 then
    return '[]';
  end if;
  if p_step_ids is not null then
    v_taken := nofx_private.dequeue_named_steps(p_step_ids, v_capacity, p_tools);
  else
    v_tenants := nofx_private.tenants_with_ready_steps(v_capacity);
    if v_tenants is not null then
      v_taken := nofx_private.dequeue_steps(v_tenants, v_capacity, p_tools);
    end if;
  end if;
  if v_taken is null then
    return '[]';
  end if;
  v_count := nofx_private.emit(nofx_private.start_steps(v_taken, p_worker, p_lease));
  return nofx_private.dispatch_steps(v_taken, p_lease);
end
$$;
grant execute on function nofx.claim_steps(text, int, text[], uuid[], interval) to service_role;
