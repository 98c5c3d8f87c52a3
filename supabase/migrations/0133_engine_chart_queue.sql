-- Tells how long steps waited and how many began, minute by minute: the charts of operators.
-- Takes: p_minutes, how far back, 1 to 180.
-- Locks: nothing.
-- Returns: an array, oldest first, of {at, started, p50_s, p95_s, failed}; minutes without a step have zeros and nulls.
-- Raises: nothing.
create function nofx.chart_queue(p_minutes int default 60)
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
    select json_agg(json_build_object('at', m.at, 'started', coalesce(c.started, 0), 'p50_s', c.p50_s, 'p95_s', c.p95_s, 'failed', coalesce(c.failed, 0))
                    order by m.at)
      from generate_series(v_from, date_trunc('minute', now()), interval '1 minute') as m (at)
      left join (
        select date_trunc('minute', e.created_at) as at,
               count(*) filter (where e.type = 'step.started') as started,
               percentile_cont(0.5) within group (order by extract(epoch from e.created_at - (e.data ->> 'ready_at')::timestamptz)) as p50_s,
               percentile_cont(0.95) within group (order by extract(epoch from e.created_at - (e.data ->> 'ready_at')::timestamptz)) as p95_s,
               count(*) filter (where e.type in ('step.failed', 'step.timed_out')) as failed
          from nofx.event e
         where e.tenant_id = v_tenant and e.created_at >= v_from and e.type in ('step.started', 'step.failed', 'step.timed_out')
         group by 1) as c on c.at = m.at);
end
$$;
grant execute on function nofx.chart_queue(int) to authenticated;
