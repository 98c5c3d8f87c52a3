-- The schemas. `nofx`, `observability` and `ops` are exposed through PostgREST; `nofx_private` never is:
-- it holds the helpers that only our own functions may call. `anon` has no right anywhere.
create schema if not exists nofx;
create schema if not exists nofx_private;
create schema if not exists observability;
create schema if not exists ops;
-- Seals payloads of the audit log (1500). Hosted Supabase has it there already.
create extension if not exists pgcrypto with schema extensions;

-- The API, when it acts for a caller whose credential it has checked: the policies of row-level security are made for this role. What people read and
-- do is granted to it, never to `authenticated`: with a token of their own, people neither read nor call anything here, so that nobody goes around the
-- API's limits, hooks and checks, or holds the connections that workers need with queries of their own making (ADR 18).
-- PostgREST takes the role of a token, and only the API signs tokens with this one.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'nofx_api') then
    create role nofx_api nologin inherit;
  end if;
  execute format('grant nofx_api to %I', current_user);
end
$$;
-- PostgREST sets it before each call. A request of a person holds a connection no longer: workers need them, too.
alter role nofx_api set statement_timeout = '8s';
grant nofx_api to authenticator;

revoke all on schema nofx, nofx_private, observability, ops from public;
grant usage on schema nofx, observability, ops to nofx_api, service_role;

alter default privileges in schema nofx, nofx_private, observability, ops
  revoke execute on functions from public;
alter default privileges
  revoke execute on functions from public;
