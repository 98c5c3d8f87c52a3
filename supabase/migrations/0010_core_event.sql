-- Reads a header of the request that PostgREST answers.
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

-- Dates an event: a transaction id that is no smaller than the writer's, nor than any that has ended before.
-- The writer's own would not do: a transaction that took its id, and then sees and answers what another one committed
-- (a claim that looks twice), would tell the answer before the question. No later than what has ended: a reader waits for all
-- transactions up to this one, and an idle database hands out no more.
-- Takes: nothing. Volatile: it looks each time it is called, and not when its statement began.
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
-- Why not by id alone: ids are handed out before commit, so that a reader who remembers "the last id I saw" misses a
-- smaller id that commits later. `tx` is no smaller than the transaction that wrote the event; a reader takes only those below
-- the oldest transaction still open (see read_events) and orders by (tx, id), so that nothing can appear behind its cursor,
-- and nothing before what it answers.
create table nofx.event (
  id bigint generated always as identity,
  tx bigint not null default nofx_private.event_tx(),
  tenant_id uuid not null,
  run_id uuid,
  step_id uuid,
  type text not null,
  data jsonb not null default '{}',
  created_at timestamptz not null default now(),
  -- Where, and in answer to which request, it was written.
  region text default nofx_private.request_header('x-nofx-region'),
  request_id text default nofx_private.request_header('x-request-id'),
  primary key (tenant_id, tx, id, created_at)
) partition by range (created_at);

create index event_of_run on nofx.event (run_id, tx, id);

-- Catches what no day's partition takes, so that a late job never loses an event.
create table nofx.event_default partition of nofx.event default;

alter table nofx.event enable row level security;
alter table nofx.event force row level security;
alter table nofx.event_default enable row level security;
alter table nofx.event_default force row level security;

-- Tells from when on the caller's tenant keeps events.
-- Takes: nothing; the tenant comes from the token.
-- Locks: nothing.
-- Returns: the instant before which events are hidden (and dropped with their partition).
-- Raises: nothing.
create function nofx_private.events_since()
returns timestamptz
language sql
stable
security definer set search_path = ''
as $$
  select now() - make_interval(days => coalesce(
    (select event_days from nofx.retention where tenant_id = nofx_private.caller_tenant()), 90))
$$;
grant execute on function nofx_private.events_since() to authenticated, service_role;

create policy own_tenant on nofx.event for select to authenticated
  using (tenant_id = (select nofx_private.caller_tenant()) and created_at >= (select nofx_private.events_since()));
create policy own_tenant on nofx.event_default for select to authenticated
  using (tenant_id = (select nofx_private.caller_tenant()) and created_at >= (select nofx_private.events_since()));

grant select on nofx.event to authenticated, service_role;
