-- Reads new events of tenants with background hooks, each from its subscription's cursor.
-- Takes: p_limit, how many events a tenant at most.
-- Locks: nothing: two workers may read the same events; the first to advance the cursor wins.
-- Returns: a JSON array of {tenant_id, tx, id, hooks: [{id, filter}], events}: of tenants that have new events those 20 that have waited
--   longest since their cursor moved. A tenant's events end with the one at which their data reaches 1 MiB; the rest comes with the next call.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.read_hook_events(p_limit int default 500)
returns json
language plpgsql
stable
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('hook', 'Only workers deliver hooks.');
  return (
    select coalesce(json_agg(turn.batch), '[]')
      from (
        select json_build_object('tenant_id', s.tenant_id, 'tx', s.tx, 'id', s.id, 'hooks', hooks.list, 'events', events.list) as batch
          from nofx.subscription s
         cross join lateral (
           select json_agg(json_build_object('id', h.id, 'filter', h.filter)) as list
             from nofx.hook h where h.tenant_id = s.tenant_id and h.phase = 'background' and h.disabled_at is null
         ) as hooks
         cross join lateral (
           select json_agg(json_build_object('id', e.id, 'tx', e.tx, 'tenant_id', e.tenant_id, 'run_id', e.run_id, 'step_id', e.step_id, 'type', e.type,
                    'data', e.data, 'created_at', e.created_at, 'region', e.region, 'origin', nofx.origin(sized.event)) order by e.tx, e.id) as list
             from (select f.event, sum(octet_length((f.event).data::text)) over (order by (f.event).tx, (f.event).id) as bytes
                     from (select e as event
                             from nofx.event e
                            where e.tenant_id = s.tenant_id and (e.tx, e.id) > (s.tx, s.id)
                              and e.tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
                            order by e.tx, e.id limit least(p_limit, 1000)) as f) as sized
            cross join lateral (select (sized.event).*) as e
            where sized.bytes - octet_length(e.data::text) < 1048576
         ) as events
         where s.name = 'hooks' and hooks.list is not null and events.list is not null
         order by s.changed_at
         limit 20) as turn);
end
$$;
grant execute on function nofx.read_hook_events(int) to service_role;

-- Enqueues deliveries and advances the subscription's cursor, both or neither.
-- Takes: p_tenant; p_tx and p_id, the cursor before; p_next_tx and p_next_id, the cursor after; p_deliveries, an array of
--   {hook_id, dedup_key, body, run_id}.
-- Locks: the subscription.
-- Returns: whether it advanced: false when another worker was faster.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.advance_hook_cursor(p_tenant uuid, p_tx bigint, p_id bigint, p_next_tx bigint, p_next_id bigint, p_deliveries jsonb)
returns boolean
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('hook', 'Only workers deliver hooks.');
  update nofx.subscription set tx = p_next_tx, id = p_next_id, changed_at = now()
   where tenant_id = p_tenant and name = 'hooks' and tx = p_tx and id = p_id;
  if not found then
    return false;
  end if;
  perform nofx.enqueue_deliveries(p_tenant, p_deliveries);
  return true;
end
$$;
grant execute on function nofx.advance_hook_cursor(uuid, bigint, bigint, bigint, bigint, jsonb) to service_role;

-- Enqueues deliveries. The same `dedup_key` is delivered to a hook once.
-- Takes: p_tenant; p_deliveries, an array of {hook_id, dedup_key, body, run_id}, run_id being the run of the event, if any.
-- Locks: nothing.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.enqueue_deliveries(p_tenant uuid, p_deliveries jsonb)
returns void
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('hook', 'Only the API and workers enqueue deliveries.');
  insert into nofx.hook_delivery (id, tenant_id, hook_id, dedup_key, body)
  select nofx_private.uuid_v7(), p_tenant, d.hook_id, d.dedup_key, d.body
    from jsonb_to_recordset(p_deliveries) as d (hook_id uuid, dedup_key text, body text, run_id uuid)
    join nofx.hook h on h.id = d.hook_id and h.tenant_id = p_tenant
   -- Runs that a hook started (their id is that of the delivery) start no other tools.
   where h.target ->> 'kind' <> 'tool' or not exists (select from nofx.hook_delivery cause where cause.id = d.run_id)
  on conflict (hook_id, dedup_key) do nothing;
end
$$;
grant execute on function nofx.enqueue_deliveries(uuid, jsonb) to service_role;

-- Claims deliveries that are due, for half a minute, after which an unrecorded one may be claimed again. Whoever has the fewest on their way
-- comes first: by tenant, and within a tenant by hook. So many are on their way at once: of a tenant to one receiver four, or one while it
-- is failing; of a tenant sixteen, and four to receivers that are failing.
-- Takes: p_limit.
-- Locks: the advisory lock 'nofx_hook_deliveries', because each claim counts those of others; the deliveries.
-- Returns: {due: [{id, tenant_id, hook: name, created_by, target, secrets, networks, body, attempts}], next_at: when the next one will be
--   due that is not now, or null}. One that is due and not claimed has to wait for others to end.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.claim_deliveries(p_limit int default 100)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_claimed json;
begin
  perform nofx_private.require_service('hook', 'Only workers deliver hooks.');
  perform pg_advisory_xact_lock(hashtextextended('nofx_hook_deliveries', 0));
  -- Their workers died.
  update nofx.hook_delivery set claimed_until = null where claimed_until < now();
  with recursive waiting as (
    -- Each hook with deliveries, and when its next one is due: by skipping through the index.
    (select d.hook_id, d.next_at from nofx.hook_delivery d
      where d.status = 'pending' and d.claimed_until is null order by d.hook_id, d.next_at limit 1)
    union all
    select next.hook_id, next.next_at
      from waiting w
     cross join lateral (
       select d.hook_id, d.next_at from nofx.hook_delivery d
        where d.status = 'pending' and d.claimed_until is null and d.hook_id > w.hook_id order by d.hook_id, d.next_at limit 1
     ) as next
  ), underway as (
    select h.tenant_id, h.receiver, h.is_failing, count(*) as n
      from nofx.hook_delivery d join nofx.hook h on h.id = d.hook_id
     where d.claimed_until is not null
     group by 1, 2, 3
  ), due as (
    select d.id, d.next_at, h.tenant_id, h.receiver, h.is_failing, row_number() over (partition by h.id order by d.next_at, d.id) as place
      from waiting w
      join nofx.hook h on h.id = w.hook_id
     cross join lateral (
       select d.id, d.next_at from nofx.hook_delivery d
        where d.hook_id = w.hook_id and d.status = 'pending' and d.claimed_until is null and d.next_at <= now()
        order by d.next_at limit 4
     ) as d
     where w.next_at <= now()
  ), to_receiver as (
    select due.*, row_number() over (partition by due.tenant_id, due.receiver order by due.place, due.next_at, due.id)
             + coalesce(u.n, 0) as turn_at_receiver
      from due
      left join (select tenant_id, receiver, sum(n) as n from underway group by 1, 2) as u using (tenant_id, receiver)
  ), of_tenant as (
    select r.*, row_number() over (partition by r.tenant_id, r.is_failing order by r.place, r.next_at, r.id)
             + coalesce(u.n, 0) as turn
      from to_receiver r
      left join (select tenant_id, is_failing, sum(n) as n from underway group by 1, 2) as u using (tenant_id, is_failing)
     where r.turn_at_receiver <= case when r.is_failing then 1 else 4 end
  ), chosen as (
    select t.id from of_tenant t where t.turn <= case when t.is_failing then 4 else 16 end
     order by t.turn, t.next_at, t.id limit least(p_limit, 100)
  ), taken as (
    update nofx.hook_delivery d set claimed_until = now() + interval '30 seconds'
     where d.id in (select c.id from chosen c) and d.status = 'pending' and d.claimed_until is null
    returning d.id, d.tenant_id, d.hook_id, d.body, d.attempts
  )
  select json_build_object(
           'due', (
             select coalesce(json_agg(json_build_object('id', t.id, 'tenant_id', t.tenant_id, 'hook', h.name, 'created_by', h.created_by,
                      'target', h.target, 'secrets', h.secrets, 'body', t.body, 'attempts', t.attempts,
                      'networks', (select coalesce(json_agg(network), '[]') from nofx.allowed_network n where n.tenant_id = t.tenant_id))), '[]')
               from taken t join nofx.hook h on h.id = t.hook_id),
           'next_at', (select min(w.next_at) from waiting w where w.next_at > now()))
    into v_claimed;
  return v_claimed;
end
$$;
grant execute on function nofx.claim_deliveries(int) to service_role;

-- Computes the time of the next attempt: 5 s, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours after the first (the schedule of
-- Standard Webhooks), or later if the receiver asked for it.
-- Takes: p_first_attempt_at; p_attempts, failed so far; p_wait_s, the receiver's Retry-After, or null.
-- Locks: nothing.
-- Returns: the time; null when no attempt is left.
-- Raises: nothing.
create function nofx_private.next_attempt_at(p_first_attempt_at timestamptz, p_attempts int, p_wait_s int)
returns timestamptz
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_after interval := (array['5 seconds', '5 minutes', '30 minutes', '2 hours', '5 hours', '10 hours', '14 hours', '20 hours', '24 hours'])[p_attempts]::interval;
  v_at timestamptz := greatest(p_first_attempt_at + v_after * (1 + 0.05 * random()), now() + make_interval(secs => coalesce(p_wait_s, 1)));
begin
  return case when v_after is not null and v_at <= p_first_attempt_at + interval '26 hours' then v_at end;
end
$$;

-- Records an attempt of a delivery.
-- Takes: p_id; p_attempt, {duration_ms, status, response, error, delivered, gone, wait_s}: `gone` when the receiver returned 410.
-- Locks: the delivery; its hook when the receiver is gone, or has begun or ceased to fail.
-- Returns: the delivery's status.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.record_delivery_attempt(p_id uuid, p_attempt jsonb)
returns nofx.delivery_status
language plpgsql
security definer set search_path = ''
as $$
declare
  v_delivery nofx.hook_delivery;
  v_hook nofx.hook;
  v_next timestamptz;
begin
  perform nofx_private.require_service('hook', 'Only workers deliver hooks.');
  select * into v_delivery from nofx.hook_delivery where id = p_id for update;
  if not found or v_delivery.status <> 'pending' then
    return v_delivery.status;
  end if;
  insert into nofx.hook_attempt (delivery_id, tenant_id, attempt, duration_ms, status, response, error)
  values (p_id, v_delivery.tenant_id,
    (select coalesce(max(attempt), 0) + 1 from nofx.hook_attempt where delivery_id = p_id),
    (p_attempt ->> 'duration_ms')::int, (p_attempt ->> 'status')::int, left(p_attempt ->> 'response', 2000), left(p_attempt ->> 'error', 2000));
  if not coalesce((p_attempt ->> 'delivered')::boolean or (p_attempt ->> 'gone')::boolean, false) then
    v_next := nofx_private.next_attempt_at(v_delivery.first_attempt_at, v_delivery.attempts + 1, (p_attempt ->> 'wait_s')::int);
  end if;
  update nofx.hook_delivery
     set attempts = attempts + 1,
         status = case when (p_attempt ->> 'delivered')::boolean then 'delivered' when v_next is null then 'failed' else 'pending' end::nofx.delivery_status,
         next_at = coalesce(v_next, next_at), claimed_until = null,
         ended_at = case when (p_attempt ->> 'delivered')::boolean or v_next is null then now() end
   where id = p_id
  returning * into v_delivery;
  update nofx.hook set is_failing = v_delivery.status <> 'delivered'
   where id = v_delivery.hook_id and is_failing <> (v_delivery.status <> 'delivered');
  select * into v_hook from nofx.hook where id = v_delivery.hook_id;
  if v_delivery.status = 'failed' then
    insert into nofx.event (tenant_id, type, data)
    values (v_delivery.tenant_id, 'hook.delivery_failed', jsonb_build_object('hook_id', v_hook.id, 'name', v_hook.name, 'delivery_id', p_id,
      'reason', coalesce(p_attempt ->> 'error', 'the receiver returned ' || (p_attempt ->> 'status'))));
  end if;
  if (p_attempt ->> 'gone')::boolean then
    update nofx.hook set disabled_at = now(), disabled_reason = 'the receiver returned 410 Gone' where id = v_delivery.hook_id;
    insert into nofx.event (tenant_id, type, data)
    values (v_delivery.tenant_id, 'hook.disabled', jsonb_build_object('hook_id', v_hook.id, 'name', v_hook.name, 'reason', 'the receiver returned 410 Gone'));
  end if;
  return v_delivery.status;
end
$$;
grant execute on function nofx.record_delivery_attempt(uuid, jsonb) to service_role;

-- Replays a delivery with the same id, so that the receiver can recognise it.
-- Takes: p_id, the delivery.
-- Locks: the delivery.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller's role is below supervisor; 404 delivery-not-found.
create function nofx.replay_delivery(p_id uuid)
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('supervisor');
begin
  update nofx.hook_delivery
     set status = 'pending', attempts = 0, first_attempt_at = now(), next_at = now(), ended_at = null
   where id = p_id and tenant_id = v_tenant;
  if not found then
    perform nofx_private.refuse(404, 'delivery-not-found', p_id::text, 'List deliveries with GET /api/hooks/deliveries.');
  end if;
  perform nofx_private.audit(v_tenant, 'hook_delivery.replayed', p_id::text, null, null);
end
$$;
grant execute on function nofx.replay_delivery(uuid) to nofx_api;
