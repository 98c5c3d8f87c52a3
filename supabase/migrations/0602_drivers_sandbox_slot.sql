-- The steps whose programs run, of tenants with a quota of parallel sandboxes. A row whose step no longer runs counts nothing: the next claim
-- deletes it, however the step ended.
create table nofx.sandbox_slot (
  step_id uuid primary key,
  tenant_id uuid not null,
  run_id uuid not null
) with (fillfactor = 70);
create index sandbox_slot_of_tenant on nofx.sandbox_slot (tenant_id);
select nofx_private.secure_table('nofx.sandbox_slot');

-- Whether a step runs programs that its plan or repository brings.
-- Takes: p_tool and p_spec of the step.
-- Locks: nothing.
-- Returns: true or false.
-- Raises: nothing.
create function nofx_private.runs_programs(p_tool text, p_spec jsonb)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  -- A for_each step only spawns its children; each of them counts on its own.
  return (p_tool = 'bash' or starts_with(p_tool, 'gate:')) and p_spec ->> 'for_each' is null;
end
$$;

-- Counts the sandboxes of a tenant that run now.
-- Takes: p_tenant.
-- Locks: nothing.
-- Returns: how many of its steps with a slot run.
-- Raises: nothing.
create function nofx_private.sandboxes_of(p_tenant uuid)
returns int
language plpgsql
stable
set search_path = ''
as $$
begin
  return (select count(*)
            from nofx.sandbox_slot x join nofx.step s on s.id = x.step_id and s.status = 'running'
           where x.tenant_id = p_tenant);
end
$$;

-- Locks the counts of sandboxes of tenants whose steps leave `running`: a claim of the same tenant that runs at once does not count them, so it
-- must not put steps aside that nobody would wake. Called before anything else is locked, so it cannot be part of a deadlock.
-- Takes: p_steps, steps that a call settles.
-- Locks: an advisory lock of each tenant with the quota whose programs are among them, shared, in order; a claim holds it alone.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.lock_sandboxes(p_steps uuid[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from nofx.quota q where q.parallel_sandboxes is not null) then
    perform pg_advisory_xact_lock_shared(key)
       from (
         select distinct hashtextextended(s.tenant_id::text, 8) as key
           from nofx.step s
           join nofx.quota q on q.tenant_id = s.tenant_id and q.parallel_sandboxes is not null
          where s.id = any (p_steps) and nofx_private.runs_programs(s.tool, s.spec)
          order by 1
       ) as ordered;
  end if;
end
$$;

-- Selects the dequeued steps that may start under their tenants' quotas of parallel sandboxes, and gives them slots. The others wait in the
-- queue in state quota, with all other programs of their tenant, until admit_sandboxes finds room.
-- Takes: p_steps, ready steps that were just dequeued; the caller starts those that are returned before it calls again.
-- Locks: an advisory lock of each tenant with the quota whose programs are among the steps, until the transaction ends. It never waits for
--   one: where another call holds it, the steps are put back in the queue as they were, and workers are woken.
-- Returns: steps that may start; events of those that wait; busy: tenants whose lock another call holds, or of which more programs are ready
--   than this call puts aside. Workers are woken for them, and the caller dequeues none of their steps again.
-- Raises: nothing.
create function nofx_private.take_sandboxes(p_steps uuid[])
returns nofx_private.started
language plpgsql
set search_path = ''
as $$
declare
  -- Of all tenants together: so many take a few hundredths of a second, and whoever is claimed for meanwhile waits.
  v_most_aside constant int := 500;
  v_taken nofx_private.started;
  v_tenant record;
  v_free int;
  v_aside nofx_private.new_event[];
begin
  v_taken.steps := p_steps;
  if p_steps is null or not exists (select from nofx.quota q where q.parallel_sandboxes is not null) then
    return v_taken;
  end if;
  for v_tenant in
    select s.tenant_id as id, q.parallel_sandboxes as most, array_agg(s.id order by r.priority desc, s.id) as steps, count(*) over () as tenants
      from nofx.step s
      join nofx.run r on r.id = s.run_id
      join nofx.quota q on q.tenant_id = s.tenant_id and q.parallel_sandboxes is not null
     where s.id = any (p_steps) and nofx_private.runs_programs(s.tool, s.spec)
     group by 1, 2
     order by 1
  loop
    v_taken.steps := array(select t from unnest(v_taken.steps) as t where t <> all (v_tenant.steps));
    if not pg_try_advisory_xact_lock(hashtextextended(v_tenant.id::text, 8)) then
      perform nofx_private.put_back(v_tenant.steps);
      perform nofx_private.wake_workers();
      v_taken.busy := v_taken.busy || v_tenant.id;
      continue;
    end if;
    -- Statements of their own: they see what the last holder of the lock committed.
    delete from nofx.sandbox_slot x
     where x.tenant_id = v_tenant.id and not exists (select from nofx.step s where s.id = x.step_id and s.status = 'running');
    v_free := greatest(v_tenant.most - nofx_private.sandboxes_of(v_tenant.id), 0);
    insert into nofx.sandbox_slot (step_id, tenant_id, run_id)
    select s.id, s.tenant_id, s.run_id from nofx.step s where s.id = any (v_tenant.steps[:v_free]);
    v_taken.steps := v_taken.steps || v_tenant.steps[:v_free];
    if cardinality(v_tenant.steps) > v_free then
      perform nofx_private.put_back(v_tenant.steps[v_free + 1:]);
      v_aside := nofx_private.set_programs_aside(v_tenant.id, greatest(v_most_aside / v_tenant.tenants, 1)::int);
      v_taken.events := v_taken.events || v_aside;
      if cardinality(v_aside) >= greatest(v_most_aside / v_tenant.tenants, 1) then
        -- Once a call: a tenant with 100,000 ready programs would keep all others waiting.
        perform nofx_private.wake_workers();
        v_taken.busy := v_taken.busy || v_tenant.id;
      end if;
    end if;
  end loop;
  v_taken.steps := nullif(v_taken.steps, '{}');
  return v_taken;
end
$$;

-- Puts steps that were dequeued, and not started, back in the queue.
-- Takes: p_steps, steps in status ready.
-- Locks: the queue rows it writes.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.put_back(p_steps uuid[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into nofx.step_queue (step_id, tenant_id, run_id, state, priority, tool, concurrency_key, due_at)
  select s.id, s.tenant_id, s.run_id, 'ready', r.priority, s.tool, s.concurrency_key, now() + interval '10 seconds'
    from nofx.step s
    join nofx.run r on r.id = s.run_id
   where s.id = any (p_steps) and s.status = 'ready';
end
$$;

-- Sets the ready programs of a tenant aside that has no sandbox left, so that no claim reads them again.
-- Takes: p_tenant, whose lock is held; p_limit, how many at most.
-- Locks: the queue rows it changes, skipping those of other claims.
-- Returns: events to emit: step.waiting, one for each step that waits now.
-- Raises: nothing.
create function nofx_private.set_programs_aside(p_tenant uuid, p_limit int)
returns nofx_private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_events nofx_private.new_event[];
begin
  with aside as (
    update nofx.step_queue
       set state = 'quota', wake_count = 0
     where ctid = any (array(
       select d.ctid
         from nofx.step_queue d
         join nofx.step s on s.id = d.step_id
        where d.tenant_id = p_tenant and d.state = 'ready' and nofx_private.runs_programs(s.tool, s.spec)
        limit p_limit
          for update of d skip locked))
    returning step_id
  )
  select array_agg(row (s.tenant_id, s.run_id, s.id, 'step.waiting', jsonb_build_object(
           'name', s.name, 'tool', s.tool, 'attempt', s.attempt, 'waits_for', 'quota', 'quota', 'parallel_sandboxes'))::nofx_private.new_event
           order by s.id)
    into v_events
    from aside a join nofx.step s on s.id = a.step_id;
  return v_events;
end
$$;

-- Makes steps ready again that waited for a sandbox, as many as their tenants have room for; a claim decides.
-- Takes: p_tenants, null for all.
-- Locks: the queue rows it changes, skipping those that others have locked.
-- Returns: events to emit, one for each step that a worker may claim now; null for none.
-- Raises: nothing.
create function nofx_private.admit_sandboxes(p_tenants uuid[] default null)
returns nofx_private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_events nofx_private.new_event[];
begin
  if not exists (select from nofx.step_queue where state = 'quota') then
    return null;
  end if;
  with recursive waiting as (
    -- By skipping through the index: the cost follows the number of tenants, not of steps.
    (select d.tenant_id as id from nofx.step_queue d where d.state = 'quota' order by d.tenant_id limit 1)
    union all
    select (select d.tenant_id from nofx.step_queue d where d.state = 'quota' and d.tenant_id > w.id order by d.tenant_id limit 1)
      from waiting w
     where w.id is not null
  ), tenant as (
    select w.id from waiting w where w.id is not null and (p_tenants is null or w.id = any (p_tenants))
  ), admitted as (
    update nofx.step_queue
       set state = 'ready', due_at = now() + interval '10 seconds', wake_count = 0
     where ctid = any (array(
       select turn.ctid
         from tenant t
         -- Without a quota all of them, the next sweep those beyond 1,000.
         left join nofx.quota q on q.tenant_id = t.id
        cross join lateral (
          select d.ctid from nofx.step_queue d
           where d.state = 'quota' and d.tenant_id = t.id
           order by d.priority desc, d.step_id
           limit case when q.parallel_sandboxes is null then 1000
                      else least(greatest(q.parallel_sandboxes - nofx_private.sandboxes_of(t.id), 0), 1000) end
             for update skip locked
        ) as turn))
    returning step_id
  )
  select array_agg(row (s.tenant_id, s.run_id, s.id, 'step.ready', jsonb_build_object(
           'name', s.name, 'tool', s.tool, 'attempt', s.attempt))::nofx_private.new_event order by s.id)
    into v_events
    from admitted a join nofx.step s on s.id = a.step_id;
  if v_events is not null then
    perform nofx_private.wake_workers();
  end if;
  return v_events;
end
$$;

-- What a step waits for, for people: a computed column of nofx.step.
-- Takes: p_step.
-- Locks: nothing.
-- Returns: gate, timer, child or breaker of a step in status waiting; quota of a ready one that waits for its tenant's quota; null.
-- Raises: nothing.
create function nofx.shown_waits_for(p_step nofx.step)
returns text
language plpgsql
stable
security invoker set search_path = ''
as $$
begin
  if p_step.status = 'ready' and exists (select from nofx.step_queue d where d.step_id = p_step.id and d.state = 'quota') then
    return 'quota';
  end if;
  return p_step.waits_for;
end
$$;
grant execute on function nofx.shown_waits_for(nofx.step) to nofx_api;
