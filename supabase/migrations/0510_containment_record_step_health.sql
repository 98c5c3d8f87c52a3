-- Counts results against breakers, and opens or closes them accordingly.
-- Takes: p_results, at most one a target.
-- Locks: the breakers concerned, in order.
-- Returns: these breakers that are not closed now, when the next probe is due, and events to emit.
-- Raises: nothing.
create function nofx_private.record_results(p_results nofx_private.result[])
returns nofx_private.health
language plpgsql
set search_path = ''
as $$
declare
  v_health nofx_private.health;
begin
  perform 1
     from nofx.handler_health h
    where (h.tenant_id, h.target) in (select r.tenant_id, r.target from unnest(p_results) as r)
    order by h.tenant_id, h.target
      for update;

  with result as (
    select * from unnest(p_results)
  ), counted as (
    select r.tenant_id, r.target, r.error, h.state as was, h.open_ms, h.probe_at, h.probes_in_flight, h.last_error,
           coalesce(h.probes, 1) as probes, coalesce(h.min_volume, 5) as min_volume, coalesce(h.failure_rate, 0.5) as failure_rate,
           r.failed as failed_now,
           period.is_old,
           r.failed + case when period.is_old then 0 else coalesce(h.failed, 0) end as failed,
           r.succeeded + case when period.is_old then 0 else coalesce(h.succeeded, 0) end as succeeded
      from result r
      left join nofx.handler_health h on h.tenant_id = r.tenant_id and h.target = r.target
     cross join lateral (
       select h.state = 'closed' and h.window_began_at < now() - make_interval(secs => h.window_s) as is_old
     ) as period
     -- Targets without failures have no row; beyond 1,000 of a tenant, whose steps choose the hosts, new ones have none either.
     where h.target is not null
        or r.failed > 0 and (select count(*) from nofx.handler_health other where other.tenant_id = r.tenant_id) < 1000
  ), judged as (
    select c.*,
           case
             when c.was = 'open' then 'open'
             when c.was = 'half_open' then
               case when c.failed_now > 0 then 'open' when c.succeeded >= c.probes then 'closed' else 'half_open' end
             when c.failed + c.succeeded >= c.min_volume and c.failed >= c.failure_rate * (c.failed + c.succeeded) then 'open'
             else 'closed'
           end::nofx.breaker_state as state
      from counted c
  ), written as (
    insert into nofx.handler_health as h (tenant_id, target, state, failed, succeeded, probe_at, opened_at, last_error)
    select tenant_id, target, state, failed, succeeded, case when state = 'open' then now() + interval '1 second' end,
           case when state <> 'closed' then now() end, error from judged
    on conflict (tenant_id, target) do update
       set state = excluded.state,
           failed = case when excluded.state = h.state then excluded.failed else 0 end,
           succeeded = case when excluded.state = h.state then excluded.succeeded else 0 end,
           window_began_at = case when excluded.state <> h.state or h.window_began_at < now() - make_interval(secs => h.window_s)
                                  then now() else h.window_began_at end,
           open_ms = case when h.state = 'open' then h.open_ms
                          when h.state = 'half_open' and excluded.state = 'open' then least(h.open_ms * 2, 5000)
                          when excluded.state = 'closed' then 1000 else h.open_ms end,
           probe_at = case when excluded.state = 'closed' then null
                           when excluded.state = h.state then h.probe_at
                           when h.state = 'half_open' then now() + make_interval(secs => least(h.open_ms * 2, 5000) / 1000.0)
                           else now() + make_interval(secs => h.open_ms / 1000.0) end,
           probes_in_flight = case when excluded.state = 'half_open' then greatest(h.probes_in_flight - 1, 0) else 0 end,
           opened_at = case when excluded.state <> 'closed' then coalesce(h.opened_at, now()) end,
           last_error = coalesce(excluded.last_error, h.last_error),
           changed_at = case when excluded.state <> h.state then now() else h.changed_at end
    returning h.tenant_id, h.target, h.state, h.probe_at, h.last_error
  )
  select array_agg(row (w.tenant_id, w.target)::nofx_private.target) filter (where w.state <> 'closed'),
         -- A breaker that closed releases its steps at once.
         min(case when w.state = 'closed' then now() else w.probe_at end) filter (where w.state <> 'closed' or s.was = 'half_open'),
         array_agg(row (w.tenant_id, null, null, case w.state when 'open' then 'breaker.opened' else 'breaker.closed' end,
           jsonb_strip_nulls(jsonb_build_object('target', w.target, 'error', case when w.state = 'open' then w.last_error end)))::nofx_private.new_event)
           filter (where (w.state = 'open') <> (coalesce(s.was, 'closed') <> 'closed') and w.state <> 'half_open')
    into v_health
    from written w
    join judged s on s.tenant_id = w.tenant_id and s.target = w.target;
  return v_health;
end
$$;

-- Counts the outcomes of settled steps for the breakers of their targets. Only transient failures that the breaker does not ignore
-- count as failures; a permanent one (a failed check, a 404) counts as a success of the target.
-- Takes: p_outcomes, as settle_steps received them.
-- Locks: the breakers concerned, in order.
-- Returns: what record_results returns.
-- Raises: nothing.
create function nofx_private.record_step_health(p_outcomes nofx_private.outcome[])
returns nofx_private.health
language plpgsql
set search_path = ''
as $$
begin
  return nofx_private.record_results(array(
    select row (s.tenant_id, target.name,
             count(*) filter (where o.transient and not coalesce(o.ignored_by_breaker, false)),
             count(*) filter (where not coalesce(o.transient, false) or o.ignored_by_breaker),
             left(max(o.error ->> 'message') filter (where o.transient), 500))::nofx_private.result
      from unnest(p_outcomes) as o
      join nofx.step s on s.id = o.step_id and s.lease_token = o.token
     cross join lateral (select coalesce(o.breaker_target, s.breaker_target, s.tool) as name) as target
     where o.kind in ('done', 'failed', 'timed_out')
     group by s.tenant_id, target.name));
end
$$;
