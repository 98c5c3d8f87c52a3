-- Returns the threshold of a tenant's alert.
-- Takes: p_tenant; p_kind.
-- Locks: nothing.
-- Returns: the tenant's threshold, or the default; null for never.
-- Raises: nothing.
create function nofx_private.alert_threshold(p_tenant uuid, p_kind nofx.alert_kind)
returns double precision
language plpgsql
stable
set search_path = ''
as $$
declare
  v_rule nofx.alert_rule;
begin
  select * into v_rule from nofx.alert_rule where tenant_id = p_tenant and kind = p_kind;
  if found then
    return v_rule.threshold;
  end if;
  return case p_kind when 'queue_depth' then 10000 when 'queue_age' then 300 when 'queue_latency' then 60 when 'dlq_growth' then 10 else 1 end;
end
$$;

-- Measures the queues of all tenants and raises or resolves alerts: `alert.raised` and `alert.resolved` in the event log, which
-- hooks deliver to Slack or a webhook. Concurrent and frequent calls are harmless.
-- Takes: nothing.
-- Locks: the advisory lock 'nofx_watch'; a concurrent call does nothing.
-- Returns: {raised, resolved}, counts.
-- Raises: 403 forbidden when the caller is neither the service role nor the database itself (pg_cron).
create function nofx.watch_queues()
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_raised int;
  v_resolved int;
  v_events nofx_private.new_event[];
begin
  if not nofx_private.caller_is_service() and nullif(current_setting('request.jwt.claims', true), '') is not null then
    perform nofx_private.refuse(403, 'forbidden', 'watch', 'Only workers and cron watch the queues.');
  end if;
  if not pg_try_advisory_xact_lock(hashtextextended('nofx_watch', 0)) then
    return json_build_object('raised', 0, 'resolved', 0);
  end if;
  with measured as (
    select d.tenant_id, 'queue_depth'::nofx.alert_kind as kind, count(*)::double precision as value
      from nofx.step_queue d where d.state = 'ready' group by 1
    union all
    -- The first of a tenant's queue wait longest, except for high priorities; a thousand are enough.
    select t.tenant_id, 'queue_age', extract(epoch from now() - min(s.ready_at))
      from (select distinct tenant_id from nofx.step_queue where state = 'ready') as t
     cross join lateral (
       select d.step_id from nofx.step_queue d where d.state = 'ready' and d.tenant_id = t.tenant_id order by d.priority desc, d.step_id limit 1000
     ) as first
      join nofx.step s on s.id = first.step_id
     group by 1
    union all
    select e.tenant_id, 'queue_latency',
           percentile_cont(0.95) within group (order by extract(epoch from e.created_at - (e.data ->> 'ready_at')::timestamptz))
      from nofx.event e
     where e.type = 'step.started' and e.created_at > now() - interval '5 minutes'
     group by 1
    union all
    select tenant_id, 'dlq_growth', count(*) from nofx.step_dlq where created_at > now() - interval '10 minutes' group by 1
    union all
    select tenant_id, 'breaker_open', count(*) from nofx.handler_health where state <> 'closed' group by 1
  ), late as (
    select m.tenant_id, m.kind, m.value, nofx_private.alert_threshold(m.tenant_id, m.kind) as threshold
      from measured m
     where m.value >= nofx_private.alert_threshold(m.tenant_id, m.kind)
  ), seen as (
    insert into nofx.alert as a (id, tenant_id, kind, value, threshold)
    select nofx_private.uuid_v7(), l.tenant_id, l.kind, l.value, l.threshold from late l
    on conflict (tenant_id, kind) where resolved_at is null do update
       set value = excluded.value, threshold = excluded.threshold, seen_at = now()
    returning a.id, a.tenant_id, a.kind, a.value, a.threshold, a.raised_at = now() and xmax = 0 as is_new
  ), resolved as (
    update nofx.alert a
       set resolved_at = now()
     where a.resolved_at is null
       and not exists (select from late l where l.tenant_id = a.tenant_id and l.kind = a.kind)
    returning a.id, a.tenant_id, a.kind, a.value, a.threshold, a.raised_at
  ), emitted as (
    select row (s.tenant_id, null, null, 'alert.raised', jsonb_build_object('alert_id', s.id, 'kind', s.kind,
             'value', round(s.value::numeric, 3), 'threshold', s.threshold, 'link', '/ui/system#alerts'))::nofx_private.new_event as event, true as is_new
      from seen s where s.is_new
    union all
    select row (r.tenant_id, null, null, 'alert.resolved', jsonb_build_object('alert_id', r.id, 'kind', r.kind,
             'threshold', r.threshold, 'lasted_s', round(extract(epoch from now() - r.raised_at)), 'link', '/ui/system#alerts'))::nofx_private.new_event, false
      from resolved r
  )
  select count(*) filter (where is_new), count(*) filter (where not is_new), array_agg(event) into v_raised, v_resolved, v_events from emitted;
  perform nofx_private.emit(v_events);
  return json_build_object('raised', v_raised, 'resolved', v_resolved);
end
$$;
grant execute on function nofx.watch_queues() to service_role;

-- Sets the threshold of an alert for the caller's tenant.
-- Takes: p_kind; p_threshold, null for never.
-- Locks: the rule.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller's role is below supervisor; 422 invalid-alert-rule.
create function nofx.set_alert_rule(p_kind nofx.alert_kind, p_threshold double precision)
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('supervisor');
  v_before jsonb;
begin
  if p_threshold <= 0 then
    perform nofx_private.refuse(422, 'invalid-alert-rule', p_kind::text, 'Set a threshold above 0, or null to turn the alert off.');
  end if;
  v_before := (select to_jsonb(r) from nofx.alert_rule r where r.tenant_id = v_tenant and r.kind = p_kind);
  insert into nofx.alert_rule (tenant_id, kind, threshold) values (v_tenant, p_kind, p_threshold)
  on conflict (tenant_id, kind) do update set threshold = excluded.threshold;
  perform nofx_private.audit(v_tenant, 'alert_rule.set', p_kind::text, v_before, jsonb_build_object('kind', p_kind, 'threshold', p_threshold));
end
$$;
grant execute on function nofx.set_alert_rule(nofx.alert_kind, double precision) to authenticated;

-- With pg_cron the database watches its queues itself.
do $$
begin
  if exists (select from pg_extension where extname = 'pg_cron') then
    perform cron.schedule('nofx_watch_queues', '* * * * *', 'select nofx.watch_queues()');
  end if;
end
$$;
