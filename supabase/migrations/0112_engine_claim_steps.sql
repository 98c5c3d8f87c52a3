-- Claims ready steps for a worker. Workers claim with settle_steps, which does the same in the call that settles; this one is for
-- `nofx bench engine` and tests, which claim without a result.
-- Takes: p_worker, its name; p_capacity, how many at most (0 to 1000); p_tools, tools it can execute, null for all;
--   p_step_ids, the steps that a wake-up named, null for any; p_lease, the length of the leases.
-- Locks: the queue rows and steps it claims, skipping those of other claims; what take_sandboxes locks; their runs when they start.
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
  v_named uuid[];
  v_started nofx_private.started;
  v_count int;
begin
  perform nofx_private.require_service('claim', 'Only workers claim steps.');
  if p_capacity <= 0 then
    return '[]';
  end if;
  if p_step_ids is not null then
    v_named := nofx_private.dequeue_named_steps(p_step_ids, v_capacity, p_tools);
    v_started := nofx_private.take_sandboxes(v_named);
    v_started.events := v_started.events || nofx_private.start_steps(v_started.steps, p_worker, p_lease);
  else
    v_tenants := nofx_private.tenants_with_ready_steps(v_capacity);
    if v_tenants is not null then
      v_started := nofx_private.claim_from(v_tenants, v_capacity, p_worker, p_tools, p_lease);
    end if;
  end if;
  v_count := nofx_private.emit(v_started.events);
  return case when v_started.steps is null then '[]' else nofx_private.dispatch_steps(v_started.steps, p_lease) end;
end
$$;
grant execute on function nofx.claim_steps(text, int, text[], uuid[], interval) to service_role;

-- Dequeues and starts steps of tenants. Where a tenant's steps must wait for a sandbox, it goes on with other steps, so that nobody else waits.
-- Takes: p_tenants; p_capacity, how many steps at most; p_worker, its name; p_tools, null for all; p_lease, the length of the leases.
-- Locks: what dequeue_steps, take_sandboxes and start_steps lock.
-- Returns: the steps that run now, and events to emit.
-- Raises: nothing.
create function nofx_private.claim_from(p_tenants uuid[], p_capacity int, p_worker text, p_tools text[], p_lease interval)
returns nofx_private.started
language plpgsql
set search_path = ''
as $$
declare
  v_tenants uuid[] := p_tenants;
  v_dequeued uuid[];
  v_round nofx_private.started;
  v_all nofx_private.started;
  v_left int := p_capacity;
begin
  while v_left > 0 and cardinality(v_tenants) > 0 loop
    v_dequeued := nofx_private.dequeue_steps(v_tenants, v_left, p_tools);
    exit when v_dequeued is null;
    v_round := nofx_private.take_sandboxes(v_dequeued);
    v_all.events := v_all.events || v_round.events;
    if v_round.steps is not null then
      v_all.steps := v_all.steps || v_round.steps;
      v_all.events := v_all.events || nofx_private.start_steps(v_round.steps, p_worker, p_lease);
    end if;
    exit when cardinality(v_round.steps) = cardinality(v_dequeued);
    v_left := p_capacity - coalesce(cardinality(v_all.steps), 0);
    if v_round.busy is not null then
      v_tenants := array(select t from unnest(v_tenants) as t where t <> all (v_round.busy));
    end if;
  end loop;
  return v_all;
end
$$;
