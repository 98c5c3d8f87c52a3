-- Measures wait times, started steps and queue depth for each minute, for the charts.
-- Takes: p_minutes, how far back, 1 to 180.
-- Locks: nothing.
-- Returns: an array, oldest first, of {at, depth, started, p50_s, p95_s, failed}: depth is the number of steps that were ready at the
--   end of the minute; minutes without steps have zeros and nulls.
-- Raises: nothing.
create function nofx.queue_history(p_minutes int default 60)
returns json
language plpgsql
stable
security invoker set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.caller_tenant();
  v_minutes int := least(greatest(p_minutes, 1), 180);
  v_from timestamptz := date_trunc('minute', now()) - make_interval(mins => v_minutes - 1);
begin
  return (
    with emitted as (
      select e.type, e.created_at, (e.data ->> 'ready_at')::timestamptz as ready_at
        from nofx.event e
       where e.tenant_id = v_tenant and e.created_at >= v_from and e.type in ('step.started', 'step.failed', 'step.timed_out')
    ), waiting as (
      select s.ready_at from nofx.step_queue d join nofx.step s on s.id = d.step_id where d.tenant_id = v_tenant and d.state = 'ready'
    ), work as (
      select date_trunc('minute', created_at) as at,
             count(*) filter (where type = 'step.started') as started,
             percentile_cont(0.5) within group (order by extract(epoch from created_at - ready_at)) as p50_s,
             percentile_cont(0.95) within group (order by extract(epoch from created_at - ready_at)) as p95_s,
             count(*) filter (where type <> 'step.started') as failed
        from emitted
       group by 1
    ), arrived as (
      select date_trunc('minute', ready_at) as at, count(*) as n
        from (select ready_at from emitted where type = 'step.started' union all select ready_at from waiting) as came
       group by 1
    ), minutes as (
      -- Steps that are ready now, less those that became ready after the minute, plus those that started after it.
      select m.at, w.started, w.p50_s, w.p95_s, w.failed,
             (select count(*) from waiting)
               - coalesce(sum(a.n) over later, 0) + coalesce(sum(w.started) over later, 0) as depth
        from generate_series(v_from, date_trunc('minute', now()), interval '1 minute') as m (at)
        left join work w on w.at = m.at
        left join arrived a on a.at = m.at
      window later as (order by m.at desc rows between unbounded preceding and 1 preceding)
    )
    select json_agg(json_build_object('at', at, 'depth', depth, 'started', coalesce(started, 0), 'p50_s', p50_s, 'p95_s', p95_s, 'failed', coalesce(failed, 0))
                    order by at)
      from minutes);
end
$$;
grant execute on function nofx.queue_history(int) to nofx_api;
