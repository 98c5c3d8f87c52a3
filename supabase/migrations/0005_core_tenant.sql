-- The owner of data. Every other table has a tenant_id.
create table nofx.tenant (
  id uuid primary key,
  name text not null check (length(name) between 1 and 200),
  created_at timestamptz not null default now()
);

-- Retention of a tenant's data, in days. Without a row or a value: events for 90 days, artifacts forever.
create table nofx.retention (
  tenant_id uuid primary key references nofx.tenant (id) on delete cascade,
  event_days int check (event_days between 1 and 3650),
  artifact_days int check (artifact_days > 0)
);

alter table nofx.tenant enable row level security;
alter table nofx.tenant force row level security;
create policy own_tenant on nofx.tenant for select to authenticated
  using (id = (select nofx_private.caller_tenant()));
grant select on nofx.tenant to authenticated, service_role;
select nofx_private.secure_table('nofx.retention');

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
    insert into nofx.retention (tenant_id, event_days) values (p_id, p_event_days)
    on conflict (tenant_id) do update set event_days = excluded.event_days;
  end if;
  return p_id;
end
$$;
grant execute on function nofx.create_tenant(uuid, text, int) to service_role;
