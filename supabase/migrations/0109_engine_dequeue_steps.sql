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
