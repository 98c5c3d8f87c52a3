-- Checks whether an API key that was valid is so still: for streams, which outlive the request that they began with.
-- Takes: p_key.
-- Locks: nothing.
-- Returns: false when the key was revoked, has expired or is not there.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.is_key_active(p_key uuid)
returns boolean
language plpgsql
stable
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('credential', 'Only the API checks credentials.');
  return exists (select from nofx.api_key k where k.id = p_key and k.revoked_at is null and (k.expires_at is null or k.expires_at > now()));
end
$$;
grant execute on function nofx.is_key_active(uuid) to service_role;
