-- Reads a header of the current PostgREST request.
-- Takes: p_name, in lower case.
-- Locks: nothing.
-- Returns: its value, at most 200 characters; null without a request or without the header.
-- Raises: nothing.
create function nofx_private.request_header(p_name text)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return left(nullif(current_setting('request.headers', true), '')::json ->> p_name, 200);
end
$$;

-- Returns the transaction id to order an event by: no smaller than the writer's own, nor than any that has ended.
-- The writer's own id is not enough: a transaction can read the effect of a younger one that committed, and its event must follow
-- that one's. Nor may the id be larger: readers wait for all transactions up to it, and an idle database assigns no new ids.
-- Takes: nothing. Volatile: evaluated at each call, not once per statement.
-- Locks: nothing.
-- Returns: the transaction id.
-- Raises: nothing.
create function nofx_private.event_tx()
returns bigint
language plpgsql
volatile
set search_path = ''
as $$
begin
  return greatest(pg_current_xact_id()::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1);
end
$$;

-- The event log: append-only, ordered per tenant by (tx, id), partitioned by day.
--
-- Why not by id alone: ids are assigned before commit, so a reader that stores the last id it saw misses a smaller id that
-- commits later. `tx` is no smaller than the transaction that wrote the event; readers take only events below the oldest open
-- transaction (see read_events), in the order (tx, id), so no event appears behind a cursor, and none before its cause.
create table nofx.event (
  id bigint generated always as identity,
  tx bigint not null default nofx_private.event_tx(),
  tenant_id uuid not null,
  run_id uuid,
  step_id uuid,
  type text not null,
  data jsonb not null default '{}',
  created_at timestamptz not null default now(),
  -- The region and the request that wrote it.
  region text default nofx_private.request_header('x-nofx-region'),
  request_id text default nofx_private.request_header('x-request-id'),
  primary key (tenant_id, tx, id, created_at)
) partition by range (created_at);

create index event_of_run on nofx.event (run_id, tx, id);

-- Receives events that have no partition of their day, so that a late job never loses one.
create table nofx.event_default partition of nofx.event default;

alter table nofx.event enable row level security;
alter table nofx.event force row level security;
alter table nofx.event_default enable row level security;
alter table nofx.event_default force row level security;

-- Returns the start of the caller's retention period for events.
-- Takes: nothing; the tenant comes from the token.
-- Locks: nothing.
-- Returns: the time before which events are hidden, and are deleted within a day.
-- Raises: nothing.
create function nofx_private.events_since()
returns timestamptz
language sql
stable
security definer set search_path = ''
as $$
  select coalesce(now() - make_interval(days => nofx_private.retention_days(nofx_private.caller_tenant(), 'events')), '-infinity')
$$;
grant execute on function nofx_private.events_since() to nofx_api, service_role;

-- Returns the runs that are under a legal hold.
-- Takes: nothing; the tenant comes from the token.
-- Locks: nothing.
-- Returns: their ids, of the caller's tenant: their events are shown after the retention, too.
-- Raises: nothing.
create function nofx_private.held_runs()
returns uuid[]
language plpgsql
stable
security definer set search_path = ''
as $$
begin
  return array(select run_id from nofx.legal_hold where tenant_id = nofx_private.caller_tenant() and run_id is not null);
end
$$;
grant execute on function nofx_private.held_runs() to nofx_api, service_role;

create policy own_tenant on nofx.event for select to nofx_api
  using (tenant_id = (select nofx_private.caller_tenant())
         and (created_at >= (select nofx_private.events_since()) or run_id = any ((select nofx_private.held_runs())::uuid[])));
create policy own_tenant on nofx.event_default for select to nofx_api
  using (tenant_id = (select nofx_private.caller_tenant())
         and (created_at >= (select nofx_private.events_since()) or run_id = any ((select nofx_private.held_runs())::uuid[])));

grant select on nofx.event to nofx_api, service_role;
