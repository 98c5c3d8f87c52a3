-- The schemas. `nofx`, `observability` and `ops` are exposed through PostgREST; `nofx_private` never is:
-- it holds the helpers that only our own functions may call. `anon` has no right anywhere.
create schema if not exists nofx;
create schema if not exists nofx_private;
create schema if not exists observability;
create schema if not exists ops;

revoke all on schema nofx, nofx_private, observability, ops from public;
grant usage on schema nofx, observability, ops to authenticated, service_role;

alter default privileges in schema nofx, nofx_private, observability, ops
  revoke execute on functions from public;
alter default privileges
  revoke execute on functions from public;
