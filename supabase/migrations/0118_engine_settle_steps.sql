-- Settles the outcomes of a worker's steps and claims the next steps for it, in one transaction.
-- Takes: p_worker, its name; p_outcomes, an array of {step_id, token, kind, outputs, error, transient, wait_ms, gate, children,
--   breaker_target, ignored_by_breaker, inputs, isolation, usage, tree, snapshot} (see nofx_private.outcome), at most one a step; p_capacity, how many
--   steps it can claim (0: none); p_tools, tools it can execute, null for all; p_lease, the length of the new leases.
-- Locks: what lock_sandboxes locks; the runs concerned (lock_runs); breakers concerned, in order; then queue rows, what take_sandboxes locks,
--   steps, run rows in id order and, last, rows of what each run and each tenant used today, when processes ran.
-- Returns: {refused: tokens that are no longer valid, claims: steps as claim_steps returns them, wake_for: the runs, if more of their
--   steps became ready than were claimed (for an external queue), next_due_at: the earliest timer or probe that this call set, or
--   null, has_checks: whether a forge shows gates of these runs, has_hooks: whether background hooks exist, sandbox_micro_usd: what
--   the processes of these outcomes cost by driver, {driver: micro-USD}, null when none ran}.
-- Raises: 403 forbidden when the caller is not the service role; 422 too-many-children.
create function nofx.settle_steps(
  p_worker text,
  p_outcomes jsonb,
  p_capacity int default 0,
  p_tools text[] default null,
  p_lease interval default '30 seconds'
)
returns json
language plpgsql
security definer set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  v_outcomes nofx_private.outcome[];
  v_runs uuid[];
  v_tenants uuid[];
  v_health nofx_private.health;
  v_settled nofx_private.settled_step[];
  v_ended uuid[];
  v_ended_runs uuid[];
  v_failed uuid[];
  v_ready uuid[];
  v_parents uuid[];
  v_any_parked boolean;
  v_any_gated boolean;
  v_blocked uuid[];
  v_blocked_runs uuid[];
  v_started nofx_private.started;
  v_claimed uuid[];
  v_refused json := '[]';
  v_events nofx_private.new_event[];
  v_due timestamptz;
  v_usage nofx_private.new_event[];
  v_count int;
begin
  perform nofx_private.require_service('settle', 'Only workers settle steps.');
  if p_capacity > 0 then
    v_tenants := nofx_private.tenants_with_ready_steps(p_capacity);
  end if;

  v_outcomes := array(select o from jsonb_populate_recordset(null::nofx_private.outcome, p_outcomes) as o);
  if nofx_private.is_deep(p_outcomes) then
    v_outcomes := nofx_private.refuse_deep_outcomes(v_outcomes);
  end if;
  if pg_column_size(p_outcomes) > 65536 then
    v_outcomes := nofx_private.bound_outcomes(v_outcomes);
  end if;
  select array_agg(distinct s.run_id) into v_runs from nofx.step s where s.id in (select o.step_id from unnest(v_outcomes) as o);
  if v_runs is not null then
    perform nofx_private.lock_sandboxes(array(select o.step_id from unnest(v_outcomes) as o));
    v_count := nofx_private.lock_runs(v_runs);
    if exists (select from nofx.handler_health) or exists (select from unnest(v_outcomes) as o where o.transient) then
      v_health := nofx_private.record_step_health(v_outcomes);
    end if;
    v_settled := nofx_private.accept_outcomes(v_outcomes, v_health.open);
    select array_agg(s.event),
           array_agg(s.step_id) filter (where s.status >= 'succeeded'),
           array_agg(s.run_id) filter (where s.status >= 'succeeded'),
           array_agg(s.step_id) filter (where s.status in ('failed', 'timed_out')),
           array_agg(s.step_id) filter (where s.status = 'ready'),
           array_agg(s.step_id) filter (where s.waits_for = 'child'),
           bool_or(s.waits_for in ('timer', 'breaker')),
           bool_or(s.waits_for = 'gate')
      into v_events, v_ended, v_ended_runs, v_failed, v_ready, v_parents, v_any_parked, v_any_gated
      from unnest(v_settled) as s;
    v_events := v_events || v_health.events;

    v_due := v_health.due;
    if v_any_parked then
      v_due := least(v_due, nofx_private.park_steps(v_settled));
    end if;
    if v_any_gated then
      v_due := least(v_due, nofx_private.create_gates(v_settled, v_outcomes));
    end if;
    if v_parents is not null then
      v_events := v_events || nofx_private.spawn_children(array(select o from unnest(v_outcomes) as o where o.step_id = any (v_parents)));
    end if;
    if v_ready is not null then
      v_events := v_events || nofx_private.enqueue_steps(v_ready);
    end if;
    if v_failed is not null then
      -- Events of failures precede those of the steps that they block.
      v_count := nofx_private.emit(v_events);
      v_events := null;
      v_count := nofx_private.dead_letter_steps(array(
        select s.step_id from unnest(v_settled) as s where s.status in ('failed', 'timed_out') and s.is_transient), 'exhausted');
      select array_agg(b.step_id), array_agg(b.run_id) into v_blocked, v_blocked_runs from nofx_private.block_dependants(v_failed) as b;
      v_ended := v_ended || v_blocked;
      v_ended_runs := v_ended_runs || v_blocked_runs;
    end if;

    if v_ended is not null then
      -- Dependants first, their data is warm; but half of the capacity is reserved for other tenants with ready steps.
      v_started := nofx_private.release_dependants(v_ended, v_ended_runs, p_worker,
        case when v_tenants is null or v_tenants <@ array(select s.tenant_id from unnest(v_settled) as s)
             then p_capacity else p_capacity / 2 end,
        p_tools, p_lease);
      v_claimed := v_started.steps;
      v_events := v_events || v_started.events || nofx_private.finish_runs(v_ended_runs);
    end if;
    -- Every step that left `running` released its slot, also when it parked.
    if v_settled is not null and exists (select from nofx.step_queue where state = 'throttled') then
      v_events := v_events || nofx_private.admit_steps(v_runs);
    end if;
    if v_settled is not null and exists (select from nofx.step_queue where state = 'quota') then
      v_events := v_events || nofx_private.admit_sandboxes(array(select s.tenant_id from unnest(v_settled) as s));
    end if;
    if cardinality(v_outcomes) > coalesce(cardinality(v_settled), 0) then
      v_refused := (select json_agg(o.token) from unnest(v_outcomes) as o
                     where o.step_id not in (select s.step_id from unnest(v_settled) as s));
    end if;
  end if;

  if p_capacity > coalesce(cardinality(v_claimed), 0) then
    -- Ready now: steps that waited, and steps that became ready in this call.
    if current_setting('nofx.woke_workers', true) = 'yes' then
      v_tenants := nofx_private.tenants_with_ready_steps(p_capacity);
    end if;
    if v_tenants is not null then
      v_started := nofx_private.claim_more(v_tenants,
        case when v_claimed is not null then array(select s.tenant_id from unnest(v_settled) as s) end,
        p_capacity - coalesce(cardinality(v_claimed), 0), p_worker, p_tools, p_lease);
      v_events := v_events || v_started.events;
      v_claimed := v_claimed || v_started.steps;
    end if;
  end if;

  if v_settled is not null and exists (select from unnest(v_outcomes) as o where o.usage is not null) then
    -- Last: what it locks, settles of the same tenant wait for.
    -- Its events come first: none follows the end of a run.
    v_usage := nofx_private.record_usage(v_outcomes, v_settled);
    v_events := v_usage || v_events;
  end if;
  v_count := nofx_private.emit(v_events);
  return json_build_object(
    'refused', v_refused,
    'claims', case when v_claimed is null then '[]' else nofx_private.dispatch_steps(v_claimed, p_lease) end,
    'wake_for', case when current_setting('nofx.woke_workers', true) = 'yes' then to_json(coalesce(v_runs, '{}')) else '[]' end,
    'next_due_at', v_due,
    'sandbox_micro_usd', case when v_usage is not null then (
      select json_object_agg(cost.driver, cost.micro_usd)
        from (select coalesce(u.data ->> 'driver', '') as driver, sum((u.data ->> 'cost_micro_usd')::numeric) as micro_usd
                from unnest(v_usage) as u where u.data ? 'cost_micro_usd' group by 1) as cost) end,
    'has_hooks', exists (select from nofx.hook h where h.phase = 'background' and h.disabled_at is null),
    -- Two, each by an index (check_run_open, the primary key): with `or` all open checks would be read.
    'has_checks', exists (
        select from nofx.check_run c
         where c.reported_status is distinct from 'completed' and c.refused is null and c.run_id = any (v_runs))
      or exists (
        select from nofx.check_run c
         where c.reported_status is distinct from 'completed' and c.refused is null and c.step_id = any (v_claimed)));
end
$$;
grant execute on function nofx.settle_steps(text, jsonb, int, text[], interval) to service_role;

-- Claims steps from the queue after a settle: first for tenants of which the worker has none so far.
-- Takes: p_tenants, those with ready steps; p_served, those of which the worker has a step already, null for none; p_capacity, how many
--   steps at most; p_worker, its name; p_tools, tools it can execute, null for all; p_lease, the length of the leases.
-- Locks: what claim_from locks.
-- Returns: the steps that run now, and events to emit.
-- Raises: nothing.
create function nofx_private.claim_more(
  p_tenants uuid[], p_served uuid[], p_capacity int, p_worker text, p_tools text[], p_lease interval
)
returns nofx_private.started
language plpgsql
set search_path = ''
as $$
declare
  v_others uuid[] := array(select t from unnest(p_tenants) as t where p_served is null or t <> all (p_served));
  v_started nofx_private.started;
  v_more nofx_private.started;
begin
  if cardinality(v_others) > 0 then
    v_started := nofx_private.claim_from(v_others, p_capacity, p_worker, p_tools, p_lease);
  end if;
  p_capacity := p_capacity - coalesce(cardinality(v_started.steps), 0);
  if cardinality(v_others) < cardinality(p_tenants) and p_capacity > 0 then
    v_more := nofx_private.claim_from(p_tenants, p_capacity, p_worker, p_tools, p_lease);
    v_started.steps := v_started.steps || v_more.steps;
    v_started.events := v_started.events || v_more.events;
  end if;
  return v_started;
end
$$;
