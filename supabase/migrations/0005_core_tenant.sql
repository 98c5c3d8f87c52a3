-- The owner of data. Every other table has a tenant_id.
create table nofx.tenant (
  id uuid primary key,
  name text not null check (length(name) between 1 and 200),
  created_at timestamptz not null default now()
);

-- What has a retention. Runs are kept with everything that belongs to them: steps, gates, artifacts, attestations, model calls.
create type nofx.retained as enum ('runs', 'model_calls', 'artifacts', 'alerts', 'events');

-- For how many days a tenant's history is kept: runs, their model calls and artifacts from the end of the run, alerts from their end,
-- events from when they were written. Without a row the default of retention_days applies. The one table of such settings.
create table nofx.retention (
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  what nofx.retained not null,
  -- Null: forever; model calls and artifacts as long as their run.
  days int check (days between 1 and 3650),
  primary key (tenant_id, what)
);

alter table nofx.tenant enable row level security;
alter table nofx.tenant force row level security;
create policy own_tenant on nofx.tenant for select to nofx_api
  using (id = (select nofx_private.caller_tenant()));
grant select on nofx.tenant to nofx_api, service_role;
select nofx_private.secure_table('nofx.retention');

-- Returns for how many days tenants without a setting keep something.
-- Takes: p_what.
-- Locks: nothing.
-- Returns: the days; null for forever (model calls and artifacts: as long as their run).
-- Raises: nothing.
create function nofx_private.default_retention(p_what nofx.retained)
returns int
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case when p_what in ('alerts', 'events') then 90 end;
end
$$;

-- Returns for how many days a tenant keeps something.
-- Takes: p_tenant; p_what.
-- Locks: nothing.
-- Returns: the tenant's days, or the default; null for forever (model calls and artifacts: as long as their run), and for everything of a
--   tenant under a legal hold.
-- Raises: nothing.
create function nofx_private.retention_days(p_tenant uuid, p_what nofx.retained)
returns int
language plpgsql
stable
set search_path = ''
as $$
declare
  v_row nofx.retention;
begin
  if exists (select from nofx.legal_hold where tenant_id = p_tenant and run_id is null) then
    return null;
  end if;
  select * into v_row from nofx.retention where tenant_id = p_tenant and what = p_what;
  return case when found then v_row.days else nofx_private.default_retention(p_what) end;
end
$$;

-- Creates a tenant unless it exists.
-- Takes: p_id, the tenant's id; p_name, shown to people; p_event_days, retention of events, null for the default.
-- Locks: the tenant's row.
-- Returns: the tenant's id.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.create_tenant(p_id uuid, p_name text, p_event_days int default null)
returns uuid
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('tenant', 'Only the operator creates tenants.');
  insert into nofx.tenant (id, name) values (p_id, p_name) on conflict (id) do nothing;
  if p_event_days is not null then
    insert into nofx.retention (tenant_id, what, days) values (p_id, 'events', p_event_days)
    on conflict (tenant_id, what) do update set days = excluded.days;
  end if;
  return p_id;
end
$$;
grant execute on function nofx.create_tenant(uuid, text, int) to service_role;
