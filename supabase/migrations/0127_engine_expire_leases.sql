-- Expires leases that ran out: their steps become ready again.
-- An expired lease is not the step's fault: it ends an attempt (`lease_expired`), which does not count against the step's retries. But a step
-- with two of them is poison, since it may be the one that crashes workers: it fails and is dead-lettered.
-- Takes: p_limit, how many lease batches to check, of 5,000 steps or little more.
-- Locks: lease batches that are due, skipping those of other calls; the runs concerned (lock_runs); the steps.
-- Returns: {expired: how many leases expired, more: whether more batches may be due, so that the caller should call again}.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.expire_leases(p_limit int default 1000)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_runs uuid[];
  v_ready uuid[];
  v_failed uuid[];
  v_failed_runs uuid[];
  v_ended_runs uuid[];
  v_more uuid[];
  v_more_runs uuid[];
  v_started nofx_private.started;
  v_count int := 0;
  v_more_due bool;
  v_written int;
begin
  perform nofx_private.require_service('lease', 'Only workers expire leases.');
  with picked as (
    select id, step_ids, check_at from nofx_private.lease_batch
     where check_at < now() order by check_at limit p_limit for update skip locked
  ), summed as (
    select id, step_ids, sum(cardinality(step_ids)) over (order by check_at, id) - cardinality(step_ids) as steps_before from picked
  ), due as (
    -- A batch has one step or hundreds; a call that is stopped for its length would leave all of them.
    select id, step_ids from summed where steps_before < 5000
  ), running as (
    select due.id as lease_batch, s.run_id, s.lease_expires_at
      from due
     cross join lateral unnest(due.step_ids) as leased (step_id)
      join nofx.step s on s.id = leased.step_id and s.status = 'running'
  ), settled as (
    delete from nofx_private.lease_batch where id in (select id from due except select lease_batch from running)
  ), later as (
    update nofx_private.lease_batch h
       set check_at = greatest(next.lease_expires_at, now() + interval '1 second')
      from (select lease_batch, min(lease_expires_at) as lease_expires_at from running group by lease_batch) as next
     where h.id = next.lease_batch
  )
  select array_agg(distinct run_id) filter (where lease_expires_at < now()),
         (select count(*) from picked) >= p_limit or (select count(*) from picked) > (select count(*) from due)
    into v_runs, v_more_due from running;
  if v_runs is null then
    return json_build_object('expired', 0, 'more', v_more_due);
  end if;
  perform nofx_private.lock_runs(v_runs);

  with late as (
    select s.id, r.status as run_status, s.expired_leases, s.started_at, s.attempt, s.parked_isolation, s.parked_usage
      from nofx.step s join nofx.run r on r.id = s.run_id
     where s.run_id = any (v_runs) and s.status = 'running' and s.lease_expires_at < now()
  ), expired as (
    update nofx.step s
       set status = case when l.run_status = 'cancelling' then 'cancelled'
                         when l.expired_leases >= 1 then 'failed'
                         when l.run_status = 'paused' then 'pending'
                         else 'ready' end::nofx.step_status,
           expired_leases = s.expired_leases + 1,
           attempt = s.attempt + (l.run_status <> 'cancelling' and l.expired_leases < 1)::int,
           error = case when l.run_status = 'cancelling' or l.expired_leases >= 1 then
                     jsonb_build_object('kind', 'lease_expired', 'message', format('the lease expired %s times (worker crashed or unreachable)', l.expired_leases + 1),
                       'chain', coalesce(s.error -> 'chain', '[]')) else s.error end,
           lease_token = null, lease_expires_at = null, parked_isolation = null, parked_usage = null,
           started_at = case when l.run_status = 'cancelling' or l.expired_leases >= 1 then s.started_at end,
           ready_at = now(),
           ended_at = case when l.run_status = 'cancelling' or l.expired_leases >= 1 then now() end
      from late l
     where s.id = l.id
    returning s.id, s.run_id, s.tenant_id, s.name, s.tool, s.worker, s.status, s.ready_at, l.attempt as expired_attempt, l.started_at as expired_start, l.parked_isolation as isolation, l.parked_usage as usage,
              case when s.status in ('failed', 'cancelled') then s.error - 'chain' end as error
  ), attempts as (
    insert into nofx.step_attempt (tenant_id, run_id, step_id, attempt, outcome, worker, started_at, isolation, usage, error)
    select l.tenant_id, l.run_id, l.id, l.expired_attempt, 'lease_expired', l.worker, l.expired_start,
           -- What it used before it was parked. What it used since is not known.
           nullif(l.isolation, '{}'), l.usage,
           jsonb_build_object('kind', 'lease_expired', 'message', 'the lease expired (worker crashed or unreachable)')
      from expired l
  ), emitted as (
    insert into nofx.event (tenant_id, run_id, step_id, type, data)
    select l.tenant_id, l.run_id, l.id,
           case when l.status in ('ready', 'pending') then 'step.lease_expired' else 'step.' || l.status end,
           jsonb_strip_nulls(jsonb_build_object('name', l.name, 'tool', l.tool, 'attempt', l.expired_attempt, 'worker', l.worker, 'error', l.error))
      from expired l
  )
  select array_agg(l.id) filter (where l.status = 'ready'),
         array_agg(l.id) filter (where l.status = 'failed'),
         array_agg(l.run_id) filter (where l.status = 'failed'),
         array_agg(l.run_id) filter (where l.status in ('failed', 'cancelled')),
         count(*)
    into v_ready, v_failed, v_failed_runs, v_ended_runs, v_count
    from expired l;

  if v_ready is not null then
    v_written := nofx_private.emit(nofx_private.enqueue_steps(v_ready));
  end if;
  if v_failed is not null then
    v_written := nofx_private.dead_letter_steps(v_failed, 'poison');
    select array_agg(b.step_id), array_agg(b.run_id) into v_more, v_more_runs from nofx_private.block_dependants(v_failed) as b;
    v_ended_runs := v_ended_runs || v_more_runs;
    v_started := nofx_private.release_dependants(v_failed || v_more, v_failed_runs || v_more_runs, null, 0, null, interval '0');
  end if;
  if v_ended_runs is not null then
    v_written := nofx_private.emit(v_started.events || nofx_private.finish_runs(v_ended_runs));
  end if;
  return json_build_object('expired', v_count, 'more', v_more_due);
end
$$;
grant execute on function nofx.expire_leases(int) to service_role;
