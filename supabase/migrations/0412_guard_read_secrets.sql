-- Reads secrets of a tenant from Supabase Vault, where they are named <tenant>/<NAME>.
-- Takes: p_tenant; p_names, without the prefix.
-- Locks: nothing.
-- Returns: an object of names and values; secrets that do not exist are missing.
-- Raises: 403 forbidden when the caller is not the service role; 503 unavailable when the project has no Vault.
create function nofx.read_secrets(p_tenant uuid, p_names text[])
returns json
language plpgsql
stable
security definer set search_path = ''
as $$
declare
  v_found json;
begin
  perform nofx_private.require_service('secret', 'Only a worker reads secrets, for a step that names them.');
  if to_regclass('vault.decrypted_secrets') is null then
    perform nofx_private.refuse(503, 'unavailable', 'vault', 'Enable Supabase Vault in the project, or choose another SECRETS_DRIVER.');
  end if;
  -- Dynamic, so that the function can be created without Vault.
  execute 'select coalesce(json_object_agg(n.name, s.decrypted_secret), ''{}'')
             from unnest($1) n(name)
             join vault.decrypted_secrets s on s.name = $2 || ''/'' || n.name'
     into v_found
    using p_names, p_tenant::text;
  return v_found;
end
$$;
grant execute on function nofx.read_secrets(uuid, text[]) to service_role;
