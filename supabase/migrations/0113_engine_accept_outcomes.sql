-- Computes the wait before the next attempt: exponential backoff with jitter.
-- Takes: p_spec, the step's spec with retry {initial_ms, factor, max_ms, jitter}; p_failures, attempts that failed so far.
-- Locks: nothing.
-- Returns: the wait.
-- Raises: nothing.
create function nofx_private.backoff(p_spec jsonb, p_failures int)
returns interval
language plpgsql
volatile
set search_path = ''
as $$
declare
  -- What is no number, or none that a wait could be made of, is as if it were not there.
  v_retry jsonb := case when nofx_private.spec_fault(p_spec) is null then coalesce(nullif(p_spec -> 'retry', 'null'), '{}') else '{}' end;
  v_ms double precision := least(
    coalesce((v_retry ->> 'initial_ms')::double precision, 500)
      * power(coalesce((v_retry ->> 'factor')::double precision, 2.0), least(p_failures - 1, 60)),
    coalesce((v_retry ->> 'max_ms')::double precision, 60000),
    -- 30 days.
    2592000000);
  v_jitter double precision := coalesce((v_retry ->> 'jitter')::double precision, 0.2);
begin
  return make_interval(secs => v_ms * (1 + v_jitter * (2 * random() - 1)) / 1000);
end
$$;

-- Decides what an outcome means for its step.
-- Takes: p_outcome, as reported; p_step, its row; p_run_status, of its run; p_is_open, whether its breaker is open now.
-- Locks: nothing.
-- Returns: the decision.
-- Raises: nothing.
create function nofx_private.next_status(
  p_outcome nofx_private.outcome, p_step nofx.step, p_run_status nofx.run_status, p_is_open boolean
)
returns nofx_private.decision
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_due timestamptz;
begin
  -- (status, waits_for, due_at, attempt_outcome, keeps_attempt, event_type)
  if p_outcome.kind = 'done' then
    return row ('succeeded', null, null, 'succeeded', true, 'step.succeeded')::nofx_private.decision;
  elsif p_outcome.kind = 'skipped' then
    return row ('skipped', null, null, 'skipped', true, 'step.skipped')::nofx_private.decision;
  elsif p_run_status = 'cancelling' then
    return row ('cancelled', null, null,
      case
        when p_outcome.kind in ('gate', 'timer', 'breaker_open') then null
        when p_outcome.kind = 'children' then 'succeeded'
        when p_outcome.kind = 'interrupted' then 'cancelled'
        else p_outcome.kind::text
      end,
      true, 'step.cancelled')::nofx_private.decision;
  end if;
  if p_outcome.wait_ms is not null then
    -- At most 366 days: no timestamp is beyond.
    v_due := now() + make_interval(secs => least(p_outcome.wait_ms, 31622400000) / 1000.0);
  end if;
  case p_outcome.kind
    when 'failed', 'timed_out' then
      if coalesce(p_outcome.transient, false) and (p_step.failures + 1 < p_step.max_attempts or p_is_open and p_step.failures > 0) then
        return row ('waiting', case when p_is_open then 'breaker' else 'timer' end,
          coalesce(v_due, now() + nofx_private.backoff(p_step.spec, p_step.failures + 1)), p_outcome.kind::text, false,
          'step.retry_scheduled')::nofx_private.decision;
      end if;
      return row (p_outcome.kind::text, null, null, p_outcome.kind::text, true, 'step.' || p_outcome.kind)::nofx_private.decision;
    when 'timer' then
      return row ('waiting', 'timer', v_due, null, true, 'step.waiting')::nofx_private.decision;
    when 'gate' then
      return row ('waiting', 'gate', v_due, null, true, 'gate.requested')::nofx_private.decision;
    when 'children' then
      if jsonb_array_length(p_outcome.children) = 0 then
        return row ('succeeded', null, null, 'succeeded', true, 'step.succeeded')::nofx_private.decision;
      end if;
      return row ('waiting', 'child', v_due, null, true, 'step.waiting')::nofx_private.decision;
    when 'interrupted' then
      return row (case when p_run_status = 'paused' then 'pending' else 'ready' end, null, null, 'interrupted', false,
        'step.interrupted')::nofx_private.decision;
    when 'breaker_open' then
      return row ('waiting', 'breaker', null, null, true, 'step.waiting')::nofx_private.decision;
  end case;
end
$$;

-- Applies outcomes to running steps: updates their rows and records attempts. Outcomes with another token than the step's are skipped.
-- A failed step whose breaker is open waits instead of retrying; the whole wait costs it one attempt.
-- Takes: p_outcomes, at most one a step; the locks of their runs must be held; p_open, breakers that are not closed, null for none.
-- Locks: the rows of the steps.
-- Returns: the steps whose outcomes were accepted; null for none.
-- Raises: nothing.
create function nofx_private.accept_outcomes(p_outcomes nofx_private.outcome[], p_open nofx_private.target[])
returns nofx_private.settled_step[]
language plpgsql
set search_path = ''
as $$
declare
  v_settled nofx_private.settled_step[];
begin
  with decided as (
    -- The function is volatile, so that the planner keeps the subquery and each outcome is decided once, not once a column.
    select d.id, d.attempt, d.started_at, d.kind, d.inputs, d.isolation, d.usage, d.outputs, d.error, d.gate, d.breaker_target, d.is_transient, d.target,
           d.tree, d.snapshot, (d.next).*
      from (
        select s.id, s.attempt, s.started_at, o.kind, o.inputs, used.isolation, used.usage, o.outputs, o.error, o.gate, o.breaker_target,
               o.tree, o.snapshot, coalesce(o.transient, false) as is_transient, target.name as target,
               nofx_private.next_status(o, s, r.status, open.is_open) as next
          from unnest(p_outcomes) as o
          join nofx.step s on s.id = o.step_id and s.lease_token = o.token
          join nofx.run r on r.id = s.run_id
         cross join lateral (select coalesce(o.breaker_target, s.breaker_target, s.tool) as name) as target
         -- With what its attempt used before it was parked.
         cross join lateral (
           select case when s.parked_isolation is null then o.isolation else nofx_private.weaker_isolation(s.parked_isolation, o.isolation) end as isolation,
                  case when o.usage is null then s.parked_usage
                       when o.usage = 'null' or nofx_private.usage_fault(o.usage) is not null then s.parked_usage
                       else nofx_private.add_usage(s.parked_usage, o.usage) end as usage
         ) as used
         cross join lateral (
           select p_open is not null and row (s.tenant_id, target.name)::nofx_private.target = any (p_open) as is_open
         ) as open
      ) as d
  ), settled as (
    update nofx.step s
       set status = d.status,
           waits_for = d.waits_for,
           inputs = coalesce(d.inputs, s.inputs),
           outputs = case when d.status in ('succeeded', 'skipped')
                          then coalesce(d.outputs, case when d.kind = 'children' then '[]' else '{}' end::jsonb)
                          when d.kind = 'timer' then d.outputs end,
           outputs_bytes = coalesce(pg_column_size(d.outputs), 0),
           error = case when d.attempt_outcome in ('failed', 'timed_out', 'cancelled')
                        then d.error || jsonb_build_object('chain', nofx_private.add_to_chain(s.error -> 'chain', d.error, s.attempt))
                        when d.status = 'succeeded' then null
                        else s.error end,
           failures = case when d.kind = 'breaker_open' then least(s.failures, 1)
                           when d.waits_for = 'breaker' then greatest(s.failures, 1)
                           else s.failures + (d.kind in ('failed', 'timed_out'))::int end,
           breaker_target = coalesce(d.breaker_target, s.breaker_target),
           -- What has another shape counts as nothing: its batch must not be refused for it.
           tree = case when d.status = 'succeeded' then substring(d.tree from '^(?:[0-9a-f]{40}|[0-9a-f]{64})$') end,
           snapshot = case when d.status = 'succeeded' then substring(d.snapshot from '^[0-9a-f]{64}$') end,
           attempt = s.attempt + (not d.keeps_attempt)::int,
           gate_id = case when d.waits_for = 'gate' then nofx_private.uuid_v7() else s.gate_id end,
           started_at = case when d.keeps_attempt then s.started_at end,
           parked_isolation = case when d.attempt_outcome is null then d.isolation end,
           parked_usage = case when d.attempt_outcome is null then d.usage end,
           ready_at = case when d.status = 'ready' then now() else s.ready_at end,
           lease_token = null, lease_expires_at = null,
           ended_at = case when d.status >= 'succeeded' then now() end
      from decided d
     where s.id = d.id
    returning s.id, s.run_id, s.tenant_id, s.name, s.tool, s.worker, s.ready_at, s.gate_id, s.status, s.waits_for,
              s.attempt as next_attempt, d.attempt, d.started_at, d.kind, d.isolation, d.usage, d.gate, d.error, d.outputs, d.target, d.is_transient,
              d.due_at, d.attempt_outcome, d.event_type
  ), attempts as (
    insert into nofx.step_attempt (tenant_id, run_id, step_id, attempt, outcome, worker, ready_at, started_at, error, isolation, usage)
    select s.tenant_id, s.run_id, s.id, s.attempt, s.attempt_outcome, s.worker, s.ready_at, s.started_at, s.error, nullif(s.isolation, '{}'), s.usage
      from settled s
     where s.attempt_outcome is not null
  )
  select array_agg(row (
           s.id, s.tenant_id, s.run_id, s.status, s.waits_for, s.due_at, s.target, s.is_transient,
           row (s.tenant_id, s.run_id, s.id, s.event_type,
             case when s.kind = 'done' then jsonb_build_object('name', s.name, 'tool', s.tool, 'attempt', s.next_attempt)
                  else jsonb_strip_nulls(jsonb_build_object(
                    'name', s.name, 'tool', s.tool, 'attempt', s.next_attempt, 'error', s.error,
                    'waits_for', s.waits_for,
                    'breaker', case when s.waits_for = 'breaker' then s.target end,
                    'until', case when s.waits_for <> 'breaker' then s.due_at end,
                    'gate_id', case when s.waits_for = 'gate' then s.gate_id end,
                    'question', s.gate ->> 'question',
                    'reason', s.outputs -> 'reason')) end)::nofx_private.new_event)::nofx_private.settled_step)
    into v_settled
    from settled s;
  return v_settled;
end
$$;

-- Creates the queue rows of steps that wait for a timer or a breaker.
-- Takes: p_settled, as accept_outcomes returned it.
-- Locks: nothing.
-- Returns: when the first timer or probe is due, null for none.
-- Raises: nothing.
create function nofx_private.park_steps(p_settled nofx_private.settled_step[])
returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  v_due timestamptz;
  v_is_held boolean;
begin
  with parked as (
    insert into nofx.step_queue (step_id, tenant_id, run_id, state, priority, tool, breaker_target, due_at)
    select s.id, s.tenant_id, s.run_id, case p.waits_for when 'timer' then 'timer' else 'breaker' end::nofx.step_queue_state, 0, s.tool,
           case p.waits_for when 'breaker' then p.target end, case p.waits_for when 'timer' then p.due_at else 'infinity' end
      from unnest(p_settled) as p
      join nofx.step s on s.id = p.step_id
     where p.waits_for in ('timer', 'breaker')
    on conflict on constraint step_queue_pkey
      do update set state = excluded.state, breaker_target = excluded.breaker_target, due_at = excluded.due_at, wake_count = 0
    returning state, due_at
  )
  select min(due_at) filter (where state = 'timer'), bool_or(state = 'breaker') into v_due, v_is_held from parked;
  if v_is_held then
    -- fire_timers must run when the next probe is due, and at once if the breaker has closed meanwhile.
    v_due := least(v_due, coalesce((select min(h.probe_at) from nofx.handler_health h where h.state <> 'closed'), now()));
  end if;
  return v_due;
end
$$;

-- Creates the gates that steps wait for. Plan and policy decide who may approve, not the worker.
-- Takes: p_settled, as accept_outcomes returned it; p_outcomes, its argument.
-- Locks: nothing.
-- Returns: when the first of them expires, null for never: a gate that expires has a timer.
-- Raises: nothing.
create function nofx_private.create_gates(p_settled nofx_private.settled_step[], p_outcomes nofx_private.outcome[])
returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  v_due timestamptz;
begin
  with created as (
    insert into nofx.gate (id, tenant_id, run_id, step_id, gate_type, question, role, approvals_required, author_may_approve, keys_may_approve, expires_at)
    select s.gate_id, s.tenant_id, s.run_id, s.id, a.approval ->> 'gate_type',
           coalesce(o.gate ->> 'question', format('Run %s (%s)?', s.name, s.tool)),
           (a.approval ->> 'role')::nofx.person_role, (a.approval ->> 'count')::int, (a.approval ->> 'author_may_approve')::boolean,
           (a.approval ->> 'keys_may_approve')::boolean,
           now() + make_interval(secs => (a.approval ->> 'expires_s')::int)
      from unnest(p_settled) as p
      join unnest(p_outcomes) as o on o.step_id = p.step_id
      join nofx.step s on s.id = p.step_id
     cross join lateral (
       -- A step may request an approval that neither plan nor policy requires.
       select coalesce(nofx_private.approval_for(s, nofx_private.policy_for(s)), jsonb_build_object(
                'gate_type', coalesce(o.gate ->> 'gate_type', 'manual:approval'), 'role', 'supervisor', 'count', 1,
                'author_may_approve', true, 'keys_may_approve', false)) as approval
     ) as a
     where p.waits_for = 'gate'
    returning step_id, tenant_id, run_id, gate_type, expires_at
  ), timer as (
    insert into nofx.step_queue (step_id, tenant_id, run_id, state, priority, tool, due_at)
    select c.step_id, c.tenant_id, c.run_id, 'timer', 0, c.gate_type, c.expires_at from created c where c.expires_at is not null
    on conflict on constraint step_queue_pkey do update set state = excluded.state, due_at = excluded.due_at, wake_count = 0
    returning due_at
  )
  select min(due_at) into v_due from timer;
  return v_due;
end
$$;
