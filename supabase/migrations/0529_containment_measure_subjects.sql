-- A measurement of one subject of an alert, as in nofx.alert.
create type nofx_private.measurement as (
  tenant_id uuid,
  kind nofx.alert_kind,
  subject text,
  run_id uuid,
  value double precision
);

-- Measures everything that an alert may be about, of all tenants: ready steps and wait times for each priority (high above 0, normal 0, low
-- below, as the queues of SQS), dead letters, breakers that are not closed, and approvals that people owe.
-- Takes: nothing.
-- Locks: nothing.
-- Returns: one row for each subject that has a value.
-- Raises: nothing.
create function nofx_private.measure_subjects()
returns setof nofx_private.measurement
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
  with ready as materialized (
    select d.tenant_id, d.priority, count(*) as steps from nofx.step_queue d where d.state = 'ready' group by 1, 2
  ), queue (tenant_id, kind, urgency, value) as (
    select r.tenant_id, 'queue_depth'::nofx.alert_kind, sign(r.priority), sum(r.steps)::double precision from ready r group by 1, 3
    union all
    -- Steps of the same priority are claimed in the order of their ids: the first have waited longest; a thousand are enough.
    select r.tenant_id, 'queue_age', sign(r.priority), extract(epoch from now() - min(s.ready_at))
      from ready r
     cross join lateral (
       select d.step_id from nofx.step_queue d
        where d.state = 'ready' and d.tenant_id = r.tenant_id and d.priority = r.priority order by d.step_id limit 1000
     ) as first
      join nofx.step s on s.id = first.step_id
     group by 1, 3
    union all
    select e.tenant_id, 'queue_latency', sign(r.priority),
           percentile_cont(0.95) within group (order by extract(epoch from e.created_at - (e.data ->> 'ready_at')::timestamptz))
      from nofx.event e
      join nofx.run r on r.id = e.run_id
     where e.type = 'step.started' and e.created_at > now() - interval '5 minutes'
     group by 1, 3
  )
  select q.tenant_id, q.kind, case q.urgency when 1 then 'high' when 0 then 'normal' else 'low' end, null::uuid, q.value
    from queue q
  union all
  select l.tenant_id, 'dlq_growth', 'dlq', null, count(*) from nofx.step_dlq l where l.created_at > now() - interval '10 minutes' group by 1
  union all
  select h.tenant_id, 'breaker_open', h.target, null, extract(epoch from now() - h.opened_at) from nofx.handler_health h where h.state <> 'closed'
  union all
  -- A step that was skipped leaves its gate pending, and so does a run that failed: nobody needs to decide any more.
  select g.tenant_id, 'approval_waiting', g.id::text, g.run_id, extract(epoch from now() - g.created_at)
    from nofx.gate g
    join nofx.step s on s.id = g.step_id and s.status < 'succeeded'
   where g.status = 'pending' and coalesce(g.expires_at > now(), true);
end
$$;
