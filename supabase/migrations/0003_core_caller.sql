-- These are plpgsql, not sql: a session caches the plans of plpgsql, and every call of the API uses them.

-- The roles of people, lowest first: the order of the labels is the order of rights.
create type nofx.person_role as enum ('viewer', 'contributor', 'supervisor', 'admin');

-- Returns the tenant that the caller acts for.
-- Takes: nothing; reads `app_metadata.tenant_id` of the verified JWT.
-- Locks: nothing.
-- Returns: the tenant, or null when the token names none.
-- Raises: nothing.
create function nofx_private.caller_tenant()
returns uuid
language plpgsql
stable
set search_path = ''
as $$
begin
  return (nullif(current_setting('request.jwt.claims', true), '')::jsonb -> 'app_metadata' ->> 'tenant_id')::uuid;
end
$$;

-- Returns the caller's role.
-- Takes: nothing; reads `app_metadata.nofx_role` of the verified JWT.
-- Locks: nothing.
-- Returns: the role, or null when the token names none.
-- Raises: nothing.
create function nofx_private.caller_role()
returns nofx.person_role
language plpgsql
stable
set search_path = ''
as $$
begin
  return (nullif(current_setting('request.jwt.claims', true), '')::jsonb -> 'app_metadata' ->> 'nofx_role')::nofx.person_role;
end
$$;

-- Names the caller for the audit log.
-- Takes: nothing; reads the verified JWT, and for the service role the header X-Nofx-Actor.
-- Locks: nothing.
-- Returns: the subject of the token; for the service role the actor that it names, or `service`.
-- Raises: nothing.
create function nofx_private.caller_name()
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return coalesce(
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub',
    -- The service role names the person that it acts for.
    left(nullif(current_setting('request.headers', true), '')::json ->> 'x-nofx-actor', 200),
    'service');
end
$$;

-- Checks whether the caller is the service role (worker, jobs).
-- Takes: nothing; reads the verified JWT.
-- Locks: nothing.
-- Returns: true for the service role, false for people.
-- Raises: nothing.
create function nofx_private.caller_is_service()
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role', '') = 'service_role';
end
$$;

-- Checks that the caller is the service role.
-- Takes: p_subject and p_hint, what the call is about and who may make it, for the refusal.
-- Locks: nothing.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx_private.require_service(p_subject text, p_hint text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if not nofx_private.caller_is_service() then
    perform nofx_private.refuse(403, 'forbidden', p_subject, p_hint);
  end if;
end
$$;

-- Checks the caller's role and returns the tenant to act for.
-- Takes: p_min_role, the minimum role; p_tenant, honoured for the service role only.
-- Locks: nothing.
-- Returns: the tenant to act for.
-- Raises: 403 forbidden when the role is too low or the token names no tenant.
create function nofx_private.require_role(p_min_role nofx.person_role, p_tenant uuid default null)
returns uuid
language plpgsql
stable
set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.caller_tenant();
begin
  if nofx_private.caller_is_service() then
    return p_tenant;
  end if;
  if v_tenant is null then
    perform nofx_private.refuse(403, 'forbidden', 'token', 'Use a token whose app_metadata names a tenant_id.');
  end if;
  if nofx_private.caller_role() is null or nofx_private.caller_role() < p_min_role then
    perform nofx_private.refuse(403, 'forbidden', 'role',
      format('Requires the %s role or higher. Ask an admin of your tenant.', p_min_role));
  end if;
  return v_tenant;
end
$$;

-- Policies run as the caller, so the caller needs these functions; they only read its own token.
grant usage on schema nofx_private to nofx_api;
grant execute on function nofx_private.caller_tenant(), nofx_private.caller_role(), nofx_private.caller_name(), nofx_private.caller_is_service()
  to nofx_api, service_role;
