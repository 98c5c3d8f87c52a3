-- Returns the version of the schema.
-- Takes: nothing.
-- Locks: nothing.
-- Returns: the newest migration that `supabase db push` applied; null when it was never used.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.schema_version()
returns text
language plpgsql
stable
security definer set search_path = ''
as $$
declare
  v_version text;
begin
  perform nofx_private.require_service('schema', 'Only the API reads the schema version.');
  if to_regclass('supabase_migrations.schema_migrations') is null then
    return null;
  end if;
  execute 'select max(version) from supabase_migrations.schema_migrations' into v_version;
  return v_version;
end
$$;
grant execute on function nofx.schema_version() to service_role;
