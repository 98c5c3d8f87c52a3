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
  return case p_kind when 'queue_depth' then 10000 when 'queue_age' then 300 when 'queue_latency' then 60 when 'dlq_growth' then 10
                     when 'approval_waiting' then 3600 else 1 end;
end
$$;

-- Measures the queues, breakers and approvals of all tenants and raises or resolves alerts, one for each subject: `alert.raised` and
-- `alert.resolved` in the event log, which hooks deliver to Slack or a webhook. Concurrent and frequent calls are harmless. A call raises at
-- most 100 alerts of a kind for a tenant, the largest values first, so that no tenant holds up the others; the next call raises more.
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
  with measured as materialized (
    select * from nofx_private.measure_subjects()
  ), rule as materialized (
    -- Once for each kind, not for each subject.
    select k.tenant_id, k.kind, nofx_private.alert_threshold(k.tenant_id, k.kind) as threshold
      from (select distinct tenant_id, kind from measured) as k
  ), late as materialized (
    select m.tenant_id, m.kind, m.subject, m.run_id, m.value, r.threshold
      from measured m
      join rule r on r.tenant_id = m.tenant_id and r.kind = m.kind
     where m.value >= r.threshold
  ), known as (
    update nofx.alert a
       set value = l.value, threshold = l.threshold, seen_at = now()
      from late l
     where a.resolved_at is null and a.tenant_id = l.tenant_id and a.kind = l.kind and a.subject = l.subject
  ), fresh as (
    select l.*, row_number() over (partition by l.tenant_id, l.kind order by l.value desc, l.subject) as place
      from late l
     where not exists (
       select from nofx.alert a where a.resolved_at is null and a.tenant_id = l.tenant_id and a.kind = l.kind and a.subject = l.subject)
  ), written as (
    insert into nofx.alert as a (id, tenant_id, kind, subject, run_id, value, threshold, details, link)
    select new.id, f.tenant_id, f.kind, f.subject, f.run_id, f.value, f.threshold,
           -- Once for each alert: it reads all people of the tenant.
           case when f.kind = 'approval_waiting' then (select nofx_private.deciders(g) from nofx.gate g where g.id = f.subject::uuid) else '{}' end,
           case when f.kind = 'approval_waiting' then '/ui/approvals?gate=' || f.subject else '/ui/system#alert-' || new.id end
      from fresh f
     -- It names the row, so that each has an id of its own.
     cross join lateral (select nofx_private.uuid_v7() as id where f.kind is not null) as new
     where f.place <= 100
    returning a.*
  ), resolved as (
    update nofx.alert a
       set resolved_at = now()
     where a.resolved_at is null
       and not exists (select from late l where l.tenant_id = a.tenant_id and l.kind = a.kind and l.subject = a.subject)
    returning a.*
  ), emitted as (
    select row (w.tenant_id, w.run_id, null, 'alert.raised', jsonb_build_object('alert_id', w.id, 'kind', w.kind, 'subject', w.subject,
             'value', round(w.value::numeric, 3), 'threshold', w.threshold, 'link', w.link) || w.details)::nofx_private.new_event as event,
           true as is_new
      from written w
    union all
    select row (r.tenant_id, r.run_id, null, 'alert.resolved', jsonb_build_object('alert_id', r.id, 'kind', r.kind, 'subject', r.subject,
             'threshold', r.threshold, 'lasted_s', round(extract(epoch from now() - r.raised_at)), 'link', r.link))::nofx_private.new_event, false
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
  -- Not a number is above all numbers.
  if p_threshold not between 0.001 and 1e12 then
    perform nofx_private.refuse(422, 'invalid-alert-rule', p_kind::text, 'Set a threshold from 0.001 to 1e12, or null to turn the alert off.');
  end if;
  v_before := (select to_jsonb(r) from nofx.alert_rule r where r.tenant_id = v_tenant and r.kind = p_kind);
  insert into nofx.alert_rule (tenant_id, kind, threshold) values (v_tenant, p_kind, p_threshold)
  on conflict (tenant_id, kind) do update set threshold = excluded.threshold;
  perform nofx_private.audit(v_tenant, 'alert_rule.set', p_kind::text, v_before, jsonb_build_object('kind', p_kind, 'threshold', p_threshold));
end
$$;
grant execute on function nofx.set_alert_rule(nofx.alert_kind, double precision) to nofx_api;

-- With pg_cron the database watches its queues itself.
do $$
begin
  if exists (select from pg_extension where extname = 'pg_cron') then
    perform cron.schedule('nofx_watch_queues', '* * * * *', 'select nofx.watch_queues()');
  end if;
end
$$;
