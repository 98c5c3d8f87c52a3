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
  v_retry jsonb := coalesce(p_spec -> 'retry', '{}');
  v_ms double precision := least(
    coalesce((v_retry ->> 'initial_ms')::double precision, 500)
      * power(coalesce((v_retry ->> 'factor')::double precision, 2.0), least(p_failures - 1, 60)),
    coalesce((v_retry ->> 'max_ms')::double precision, 60000));
  v_jitter double precision := coalesce((v_retry ->> 'jitter')::double precision, 0.2);
begin
  return make_interval(secs => v_ms * (1 + v_jitter * (2 * random() - 1)) / 1000);
end
$$;

-- Decides the next status of a running step.
-- Takes: p_outcome, as reported; p_step, its row; p_run_status, of its run; p_is_open, whether its breaker is open now.
-- Locks: nothing.
-- Returns: the new status.
-- Raises: nothing.
create function nofx_private.next_status(p_outcome nofx_private.outcome, p_step nofx.step, p_run_status nofx.run_status, p_is_open boolean)
returns nofx.step_status
language plpgsql
stable
set search_path = ''
as $$
begin
  case p_outcome.kind
    when 'done' then return 'succeeded';
    when 'skipped' then return 'skipped';
    else null;
  end case;
  if p_run_status = 'cancelling' then
    return 'cancelled';
  end if;
  case p_outcome.kind
    when 'gate', 'timer', 'breaker_open' then return 'waiting';
    when 'children' then
      return case when jsonb_array_length(p_outcome.children) = 0 then 'succeeded' else 'waiting' end::nofx.step_status;
    when 'interrupted' then
      return case when p_run_status = 'paused' then 'pending' else 'ready' end::nofx.step_status;
    when 'failed', 'timed_out' then
      if coalesce(p_outcome.transient, false) and (p_step.failures + 1 < p_step.max_attempts or p_is_open and p_step.failures > 0) then
        return 'waiting';
      end if;
      return p_outcome.kind::text::nofx.step_status;
  end case;
end
$$;

-- Applies outcomes to running steps: updates their rows and records attempts. Outcomes with another token than the step's are skipped.
-- A failed step whose breaker is open waits instead of retrying; the whole wait costs it one attempt.
-- Takes: p_outcomes, at most one a step; the locks of their runs must be held; p_open, breakers that are not closed, null for none.
-- Locks: the rows of the steps.
-- Returns: the accepted outcomes, and events to emit.
-- Raises: nothing.
create function nofx_private.accept_outcomes(p_outcomes nofx_private.outcome[], p_open nofx_private.target[])
returns nofx_private.accepted
language plpgsql
set search_path = ''
as $$
declare
  v_accepted nofx_private.accepted;
begin
  with decided as (
    select s.id, s.attempt, s.started_at, o.outputs, o.error, o.gate,
           case when o.kind <> 'interrupted' then o.kind when r.status = 'cancelling' then 'cancelled' else 'interrupted' end as kind,
           nofx_private.next_status(o, s, r.status, open.is_open) as next,
           coalesce(o.breaker_target, s.breaker_target, s.tool) as target, open.is_open,
           o.breaker_target, coalesce(o.transient, false) as transient,
           case when o.kind = 'timer' or o.wait_ms is not null then now() + make_interval(secs => o.wait_ms / 1000.0)
                when o.kind in ('failed', 'timed_out') then now() + nofx_private.backoff(s.spec, s.failures + 1) end as due,
           case when o.kind = 'gate' then nofx_private.uuid_v7() end as gate_id
      from unnest(p_outcomes) as o
      join nofx.step s on s.id = o.step_id and s.lease_token = o.token
      join nofx.run r on r.id = s.run_id
     cross join lateral (
       select p_open is not null and row (s.tenant_id, coalesce(o.breaker_target, s.breaker_target, s.tool))::nofx_private.target = any (p_open) as is_open
     ) as open
  ), settled as (
    update nofx.step s
       set status = d.next,
           waits_for = case when d.next <> 'waiting' then null
                            when d.kind = 'gate' then 'gate'
                            when d.kind = 'children' then 'child'
                            when d.kind = 'breaker_open' or d.kind in ('failed', 'timed_out') and d.is_open then 'breaker'
                            else 'timer' end::nofx.wait_reason,
           outputs = case when d.next in ('succeeded', 'skipped') then coalesce(d.outputs, case when d.kind = 'children' then '[]' else '{}' end::jsonb)
                          when d.kind = 'timer' then d.outputs end,
           error = case when d.kind in ('failed', 'timed_out', 'cancelled')
                        then d.error || jsonb_build_object('chain', coalesce(s.error -> 'chain', '[]')
                               || jsonb_build_array(d.error || jsonb_build_object('attempt', s.attempt, 'at', now())))
                        when d.next = 'succeeded' then null
                        else s.error end,
           failures = case when d.kind = 'breaker_open' then least(s.failures, 1)
                           when d.is_open and d.next = 'waiting' then greatest(s.failures, 1)
                           else s.failures + (d.kind in ('failed', 'timed_out'))::int end,
           breaker_target = coalesce(d.breaker_target, s.breaker_target),
           attempt = s.attempt + (d.kind = 'interrupted' or d.kind in ('failed', 'timed_out') and d.next = 'waiting')::int,
           gate_id = case when d.kind = 'gate' and d.next = 'waiting' then d.gate_id else s.gate_id end,
           started_at = case when d.kind = 'interrupted' or d.kind in ('failed', 'timed_out') and d.next = 'waiting' then null else s.started_at end,
           ready_at = case when d.next = 'ready' then now() else s.ready_at end,
           lease_token = null, lease_expires_at = null,
           ended_at = case when d.next >= 'succeeded' then now() end
      from decided d
     where s.id = d.id
    returning s.id, s.run_id, s.tenant_id, s.name, s.tool, s.worker, s.ready_at, d.attempt, d.started_at,
              s.attempt as next_attempt, s.waits_for, d.kind, d.next, d.due, d.gate_id, d.gate, d.error, d.outputs, d.target, d.transient
  ), attempts as (
    insert into nofx.step_attempt (tenant_id, run_id, step_id, attempt, outcome, worker, ready_at, started_at, error)
    select s.tenant_id, s.run_id, s.id, s.attempt,
           case s.kind when 'done' then 'succeeded' when 'children' then 'succeeded' else s.kind::text end,
           s.worker, s.ready_at, s.started_at, s.error
      from settled s
     where s.kind not in ('gate', 'timer', 'breaker_open') and not (s.kind = 'children' and s.next = 'waiting')
  )
  select array_agg(s.id),
         array_agg(s.tenant_id),
         array_agg(s.id) filter (where s.next >= 'succeeded'),
         array_agg(s.run_id) filter (where s.next >= 'succeeded'),
         array_agg(s.id) filter (where s.next in ('failed', 'timed_out')),
         array_agg(s.id) filter (where s.next = 'ready'),
         array_agg(s.id) filter (where s.kind = 'children' and s.next = 'waiting'),
         array_agg(s.id) filter (where s.waits_for = 'timer'),
         array_agg(s.due) filter (where s.waits_for = 'timer'),
         array_agg(s.id) filter (where s.waits_for = 'breaker'),
         array_agg(s.target) filter (where s.waits_for = 'breaker'),
         array_agg(s.id) filter (where s.next in ('failed', 'timed_out') and s.transient),
         array_agg(s.id) filter (where s.kind = 'gate' and s.next = 'waiting'),
         array_agg(row (s.tenant_id, s.run_id, s.id,
           case when s.kind in ('failed', 'timed_out') and s.next = 'waiting' then 'step.retry_scheduled'
                when s.kind = 'gate' and s.next = 'waiting' then 'gate.requested'
                when s.kind = 'interrupted' then 'step.interrupted'
                when s.kind = 'breaker_open' then 'step.waiting'
                else 'step.' || s.next end,
           case when s.kind = 'done' then jsonb_build_object('name', s.name, 'tool', s.tool, 'attempt', s.next_attempt)
                else jsonb_strip_nulls(jsonb_build_object(
                  'name', s.name, 'tool', s.tool, 'attempt', s.next_attempt, 'error', s.error,
                  'waits_for', s.waits_for,
                  'breaker', case when s.waits_for = 'breaker' then s.target end,
                  'until', case when s.waits_for <> 'breaker' then s.due end,
                  'gate_id', case when s.next = 'waiting' then s.gate_id end,
                  'question', s.gate ->> 'question',
                  'reason', s.outputs -> 'reason')) end)::nofx_private.new_event)
    into v_accepted
    from settled s;
  return v_accepted;
end
$$;

-- Creates the queue rows (timers, breakers) and gates that parked steps wait for.
-- Takes: p_accepted, as accept_outcomes returned it; p_outcomes, its argument.
-- Locks: nothing.
-- Returns: when the first timer is due, null for none.
-- Raises: nothing.
create function nofx_private.park_steps(p_accepted nofx_private.accepted, p_outcomes nofx_private.outcome[])
returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  v_due timestamptz;
begin
  insert into nofx.step_queue (step_id, tenant_id, run_id, state, priority, tool, due_at)
  select s.id, s.tenant_id, s.run_id, 'timer', 0, s.tool, timer.due
    from unnest((p_accepted).timed, (p_accepted).due) as timer (step_id, due)
    join nofx.step s on s.id = timer.step_id
  on conflict on constraint step_queue_pkey do update set state = excluded.state, due_at = excluded.due_at, wake_count = 0;
  insert into nofx.step_queue (step_id, tenant_id, run_id, state, priority, tool, breaker_target, due_at)
  select s.id, s.tenant_id, s.run_id, 'breaker', 0, s.tool, waiting.target, 'infinity'
    from unnest((p_accepted).held_by_breaker, (p_accepted).targets) as waiting (step_id, target)
    join nofx.step s on s.id = waiting.step_id
  on conflict on constraint step_queue_pkey
    do update set state = excluded.state, breaker_target = excluded.breaker_target, due_at = excluded.due_at, wake_count = 0;

  if (p_accepted).gated is null then
    return (select min(due) from unnest((p_accepted).due) as due);
  end if;
  -- Plan and policy decide who may approve, not the worker. A gate that expires has a timer.
  with created as (
    insert into nofx.gate (id, tenant_id, run_id, step_id, gate_type, question, role, approvals_required, author_may_approve, expires_at)
    select s.gate_id, s.tenant_id, s.run_id, s.id, a.approval ->> 'kind',
           coalesce(o.gate ->> 'question', format('Run %s (%s)?', s.name, s.tool)),
           (a.approval ->> 'role')::nofx.person_role, (a.approval ->> 'count')::int, (a.approval ->> 'author_may_approve')::boolean,
           now() + make_interval(secs => (a.approval ->> 'expires_s')::int)
      from unnest(p_outcomes) as o
      join nofx.step s on s.id = o.step_id
     cross join lateral (
       -- A step may request an approval that neither plan nor policy requires.
       select coalesce(nofx_private.approval_for(s, nofx_private.policy_for(s)), jsonb_build_object(
                'kind', coalesce(o.gate ->> 'kind', 'manual:approval'), 'role', 'supervisor', 'count', 1, 'author_may_approve', true)) as approval
     ) as a
     where s.id = any ((p_accepted).gated)
    returning step_id, tenant_id, run_id, gate_type, expires_at
  ), timer as (
    insert into nofx.step_queue (step_id, tenant_id, run_id, state, priority, tool, due_at)
    select c.step_id, c.tenant_id, c.run_id, 'timer', 0, c.gate_type, c.expires_at from created c where c.expires_at is not null
    on conflict on constraint step_queue_pkey do update set state = excluded.state, due_at = excluded.due_at, wake_count = 0
    returning due_at
  )
  select min(due) into v_due from (select unnest((p_accepted).due) as due union all select due_at from timer) as all_due;
  return v_due;
end
$$;
