-- Registers a public signing key, unless it is known.
-- Takes: p_key, a JSON Web Key whose kid is the digest of the public key.
-- Locks: nothing.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.register_signing_key(p_key jsonb)
returns void
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('key', 'Only workers publish the keys that they sign with.');
  insert into nofx.signing_key (key_id, key) values (p_key ->> 'kid', p_key) on conflict (key_id) do nothing;
end
$$;
grant execute on function nofx.register_signing_key(jsonb) to service_role;
