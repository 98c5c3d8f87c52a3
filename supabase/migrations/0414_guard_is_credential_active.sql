-- Checks whether a credential that was valid is so still: for streams, which outlive the request that they began with.
-- Takes: p_key, an API key, or null; p_session, the session of a person's token at Supabase Auth, or null.
-- Locks: nothing.
-- Returns: false when the key was revoked or has expired, or the person has signed out; true where Auth keeps no sessions here.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.is_credential_active(p_key uuid, p_session uuid)
returns boolean
language plpgsql
stable
security definer set search_path = ''
as $$
declare
  v_active boolean := true;
begin
  perform nofx_private.require_service('credential', 'Only the API checks credentials.');
  if p_key is not null then
    return exists (select from nofx.api_key k where k.id = p_key and k.revoked_at is null and (k.expires_at is null or k.expires_at > now()));
  end if;
  if p_session is not null and to_regclass('auth.sessions') is not null then
    -- Dynamic, so that the function can be created without Auth.
    execute 'select exists (select from auth.sessions s where s.id = $1 and (s.not_after is null or s.not_after > now()))' into v_active using p_session;
  end if;
  return v_active;
end
$$;
grant execute on function nofx.is_credential_active(uuid, uuid) to service_role;
