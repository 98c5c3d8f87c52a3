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

-- Records the steps that a call leases to a worker, for expire_leases, and describes them.
-- Takes: p_steps, steps in status running; p_lease, the length of their leases.
-- Locks: breakers of these steps that are not closed, in order.
-- Returns: what describe_steps returns.
-- Raises: nothing.
create function nofx_private.dispatch_steps(p_steps uuid[], p_lease interval)
returns json
language plpgsql
set search_path = ''
as $$
declare
  v_held uuid[];
begin
  insert into nofx_private.lease_batch (step_ids, check_at) values (p_steps, now() + p_lease);
  if exists (select from nofx.handler_health where state <> 'closed') then
    v_held := nofx_private.steps_held_by_breaker(p_steps);
  end if;
  return nofx_private.describe_steps(p_steps, v_held);
end
$$;

-- Reads what describe_steps returns.
-- Takes: p_steps, steps in status running; p_held, those that an open breaker holds, null for none.
-- Locks: nothing.
-- Returns: a JSON array as describe_steps does, without `fault`.
-- Raises: what a row of these steps raises that cannot be read.
create function nofx_private.read_steps(p_steps uuid[], p_held uuid[])
returns json
language plpgsql
stable
set search_path = ''
as $$
begin
  return (select coalesce(json_agg(json_build_object(
           'id', s.id, 'run_id', s.run_id, 'tenant_id', s.tenant_id, 'name', s.name, 'tool', s.tool,
           'attempt', s.attempt, 'ready_at', s.ready_at, 'token', s.lease_token, 'hold', held.hold,
           'spec', case when held.hold is null then s.spec else s.spec - array['inputs', 'env', 'secrets'] end,
           'goal', r.goal, 'created_by', r.created_by, 'workspace', r.workspace, 'traceparent', r.traceparent,
           'open_breakers', case when p_held is not null then (
             -- A reply has room for so many; a step that is not told of one finds out by itself.
             select json_agg(h.target)
               from (select o.target from nofx.handler_health o where o.tenant_id = s.tenant_id and o.state = 'open' order by o.target limit 100) as h
           ) end,
           'networks', case when s.tool = 'http' or r.workspace is not null or s.spec #>> '{resources,network}' = 'proxy' then (
             select json_agg(n.network) from nofx.allowed_network n where n.tenant_id = s.tenant_id
           ) end,
           'isolation', case when i.tenant_id is not null then
             json_build_object('driver', i.default_driver, 'min_isolation', nofx_private.min_isolation_for(i, s.tool), 'images', i.images,
                               'toolchains', i.toolchains) end,
           'quota', case when q.tenant_id is not null then json_build_object('memory_mb', q.step_memory_mb, 'disk_mb', q.step_disk_mb) end,
           'item', s.item, 'index', s.item_index, 'parked_outputs', s.outputs,
           'gate', case when s.gate_id is not null then (
             select json_build_object('id', g.id, 'gate_type', g.gate_type, 'status', g.status, 'decided_by', g.decided_by,
                      'decided_at', g.decided_at, 'reason', g.reason)
               from nofx.gate g where g.id = s.gate_id
           ) end,
           'children', case when s.spec ->> 'for_each' is not null then (
             select json_agg(json_build_object('name', c.name, 'status', c.status, 'left_out', c.total > 4194304,
                      'outputs', case when c.total <= 4194304 then c.outputs end) order by c.item_index)
               from (select k.name, k.status, k.outputs, k.item_index, sum(k.outputs_bytes) over () as total
                       from nofx.step k where k.parent_id = s.id) as c
           ) end,
           'step_outputs', case when s.spec ->> 'refs' is not null then (
             -- Null for what is too much: outputs that are not read cost nothing.
             select json_object_agg(c.name, json_build_object('status', c.status,
                      'outputs', case when c.total <= 8388608 then coalesce(c.outputs, '{}') end))
               from (select k.name, k.status, k.outputs, sum(k.outputs_bytes) over () as total
                       from nofx.step k
                      where k.run_id = s.run_id
                        and k.name in (select jsonb_array_elements_text(s.spec -> 'refs'))) as c
           ) end
         )), '[]')
    from nofx.step s
    join nofx.run r on r.id = s.run_id
    -- Most tenants have none.
    left join nofx.isolation i on i.tenant_id = s.tenant_id
    left join nofx.quota q on q.tenant_id = s.tenant_id
    left join lateral (
      -- No policy names the tools of most steps: for them this costs two reads of an index, of what their own tenant has and of the defaults.
      select case when s.id = any (p_held) then jsonb_build_object('breaker', coalesce(s.breaker_target, s.tool))
                  else coalesce(case when s.spec -> 'secrets' <> '[]' then nofx_private.secret_hold(s) end, nofx_private.hold_for(s), case when q.tenant_id is not null then nofx_private.quota_hold_for(s, q) end) end as hold
       where s.id = any (p_held) or s.spec ->> 'approval' is not null or s.spec -> 'secrets' <> '[]' or q.tenant_id is not null
          or exists (
            select from nofx.gate_policy p
             where p.tenant_id = s.tenant_id and (starts_with(s.tool, p.prefix) or starts_with(p.prefix, s.tool || ':')))
          or exists (
            select from nofx.gate_policy p
             where p.tenant_id is null and (starts_with(s.tool, p.prefix) or starts_with(p.prefix, s.tool || ':')))
    ) as held on true
   where s.id = any (p_steps));
end
$$;

-- Describes steps completely, so that a worker can execute them without another call.
-- Takes: p_steps, steps in status running; p_held, those that an open breaker holds, null for none.
-- Locks: nothing.
-- Returns: a JSON array of {id, run_id, tenant_id, name, tool, attempt, ready_at, token, spec, created_by, workspace, goal, item,
--   index, parked_outputs, gate, children, step_outputs, hold, open_breakers, networks, isolation, quota}, in any order. `open_breakers`: the tenant's, 100 at
--   most, null for none; `networks`: the private networks that an http step, one with a workspace, or one with the egress proxy, may reach;
--   `isolation`: {driver, min_isolation, images, toolchains}, the tenant's default driver, minimum for the tool, default images and toolchains, null for none; `quota`: {memory_mb,
--   disk_mb}, the most of one step, null for no quota; `hold`: why the step may not run yet (see hold_for, quota_hold_for), in which case
--   inputs, env and secrets are left out; `parked_outputs`: the outputs it parked with on a timer; `step_outputs`: outputs and status
--   of the steps that its expressions name, null for outputs when they have more than 8 MiB together; `children`: those of a for_each
--   step's children in order, left out when they have more than 4 MiB together; `gate`: the gate it parked on. A step
--   whose row cannot be read has {id, run_id, tenant_id, name, tool, attempt, ready_at, token, goal, created_by, fault} alone: it cannot run,
--   and `fault` says why; the others of the claim do not notice. One that is put off (steps_for_later) has the hold `later` and no spec.
-- Raises: nothing.
create function nofx_private.describe_steps(p_steps uuid[], p_held uuid[])
returns json
language plpgsql
stable
set search_path = ''
as $$
declare
  v_step uuid;
  v_one json;
  v_all json[] := '{}';
  v_later uuid[] := nofx_private.steps_for_later(p_steps);
  v_now uuid[] := case when v_later is null then p_steps else array(select id from unnest(p_steps) as id where id <> all (v_later)) end;
  v_found json;
begin
  begin
    v_found := nofx_private.read_steps(v_now, p_held);
  exception when data_exception or program_limit_exceeded then
    foreach v_step in array v_now loop
      begin
        v_one := nofx_private.read_steps(array[v_step], p_held) -> 0;
      exception when data_exception or program_limit_exceeded then
        select json_build_object('id', s.id, 'run_id', s.run_id, 'tenant_id', s.tenant_id, 'name', s.name, 'tool', s.tool, 'attempt', s.attempt,
                 'ready_at', s.ready_at, 'token', s.lease_token, 'goal', r.goal, 'created_by', r.created_by, 'fault', sqlerrm)
          into v_one
          from nofx.step s join nofx.run r on r.id = s.run_id
         where s.id = v_step;
      end;
      v_all := v_all || v_one;
    end loop;
    v_found := array_to_json(v_all);
  end;
  if v_later is null then
    return v_found;
  end if;
  return (
    select json_agg(described.step)
      from (
        select found.value as step from json_array_elements(v_found) as found
        union all
        select json_build_object('id', s.id, 'run_id', s.run_id, 'tenant_id', s.tenant_id, 'name', s.name, 'tool', s.tool, 'attempt', s.attempt,
                 'ready_at', s.ready_at, 'token', s.lease_token, 'goal', r.goal, 'created_by', r.created_by, 'hold', 'later')
          from nofx.step s join nofx.run r on r.id = s.run_id
         where s.id = any (v_later)
      ) as described);
end
$$;
