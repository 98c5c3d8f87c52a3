-- Lists timers that are due: of each tenant that has one the first, then the second, so that none waits for all those of another.
-- Takes: p_limit, how many at most.
-- Locks: nothing.
-- Returns: steps and their runs.
-- Raises: nothing.
create function nofx_private.due_timers(p_limit int)
returns table (step_id uuid, run_id uuid)
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
    with recursive tenant as (
      (select q.tenant_id as id from nofx.step_queue q where q.state = 'timer' order by q.tenant_id limit 1)
      union all
      select (select q.tenant_id from nofx.step_queue q where q.state = 'timer' and q.tenant_id > t.id order by q.tenant_id limit 1)
        from tenant t
       where t.id is not null
    )
    select d.step_id, d.run_id
      from tenant t
     cross join lateral (
       select q.step_id, q.run_id, q.due_at, row_number() over (order by q.due_at, q.step_id) as turn
         from nofx.step_queue q
        where q.state = 'timer' and q.tenant_id = t.id and q.due_at <= now()
        order by q.due_at, q.step_id
        limit p_limit
     ) as d
     order by d.turn, d.due_at
     limit p_limit;
end
$$;

-- Fires timers that are due, sends probes to open breakers, admits steps for whose sandboxes there is room, and wakes workers again for
-- unclaimed ready steps.
-- Takes: p_limit, how many at most; p_worker, the heartbeat of the calling worker (see record_worker_heartbeat), or null.
-- Locks: what probe_breakers locks; the runs of due timers (lock_runs); queue rows, skipping those that other calls have locked; the
--   steps it wakes.
-- Returns: {wake_for: ready steps to send to the queue, next_due_at: when the next timer or probe is due, or null, has_checks: whether
--   checks may have to be reported, has_hooks: whether hook deliveries may be due}.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.fire_timers(p_limit int default 1000, p_worker jsonb default null)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_runs uuid[];
  v_woken uuid[];
  v_again uuid[];
  v_due uuid[];
  v_admitted nofx_private.new_event[];
begin
  perform nofx_private.require_service('timer', 'Only workers fire timers.');
  perform nofx_private.probe_breakers();
  if p_worker is not null then
    perform nofx_private.record_worker_heartbeat(p_worker);
  end if;
  if exists (select from nofx.step_queue where state = 'timer' and due_at <= now()) then
    select array_agg(distinct d.run_id), array_agg(d.step_id) into v_runs, v_due from nofx_private.due_timers(p_limit) as d;
  end if;
  if v_runs is not null then
    perform nofx_private.lock_runs(v_runs);
    with due as (
      delete from nofx.step_queue
       where step_id = any (v_due) and state = 'timer' and due_at <= now()
      returning step_id
    ), woken as (
      update nofx.step s
         set status = case when r.status = 'paused' then 'pending' else 'ready' end::nofx.step_status,
             waits_for = null, ready_at = now()
        from due d, nofx.run r
       where s.id = d.step_id and r.id = s.run_id and s.status = 'waiting' and s.waits_for in ('timer', 'breaker')
      returning s.id, s.status
    )
    select (select array_agg(step_id) from due), (select array_agg(id) filter (where status = 'ready') from woken) into v_due, v_woken;
    perform nofx_private.emit(nofx_private.enqueue_steps(v_woken));
    v_woken := v_woken || nofx_private.expire_gates(v_due);
  end if;

  -- Their sandboxes ended otherwise than by a settle: a lease expired.
  v_admitted := nofx_private.admit_sandboxes();
  perform nofx_private.emit(v_admitted);
  v_woken := v_woken || array(select a.step_id from unnest(v_admitted) as a);

  with late as (
    select step_id from nofx.step_queue
     where state = 'ready' and due_at <= now()
     order by due_at limit p_limit for update skip locked
  ), again as (
    update nofx.step_queue d
       set wake_count = d.wake_count + 1, due_at = now() + least(interval '5 minutes', interval '10 seconds' * power(2, least(d.wake_count, 10)))
      from late l
     where d.step_id = l.step_id
    returning d.step_id
  )
  select array_agg(step_id) into v_again from again;
  if v_again is not null then
    perform nofx_private.wake_workers();
  end if;

  return json_build_object(
    'wake_for', to_json(coalesce(v_woken, '{}') || coalesce(v_again, '{}')),
    'next_due_at', least((select min(due_at) from nofx.step_queue where state = 'timer'),
                         (select min(probe_at) from nofx.handler_health where state <> 'closed')),
    'has_hooks', exists (select from nofx.hook h where h.phase = 'background' and h.disabled_at is null)
          or exists (select from nofx.hook_delivery where status = 'pending' and next_at <= now()),
    'has_checks', exists (select from nofx.check_run where reported_status is distinct from 'completed' and refused is null));
end
$$;
grant execute on function nofx.fire_timers(int, jsonb) to service_role;
