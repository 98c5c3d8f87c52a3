-- Creates an API key for the caller's tenant.
-- Takes: p_name, shown to people; p_role, the key's; p_hash, sha256 of the key in hex; p_prefix, its first characters; p_expires_at,
--   null for never; p_scopes, the parts of the API that it may use, null for all.
-- Locks: the tenant's keys, against others who create one.
-- Returns: the key's id.
-- Raises: 403 forbidden when the caller is not an admin; 422 invalid-settings, also when the tenant has 200 valid keys.
create function nofx.create_api_key(p_name text, p_role nofx.person_role, p_hash text, p_prefix text, p_expires_at timestamptz default null, p_scopes text[] default null)
returns uuid
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
  v_id uuid := nofx_private.uuid_v7();
begin
  if length(coalesce(p_name, '')) not between 1 and 200 then
    perform nofx_private.refuse(422, 'invalid-settings', 'name', 'Use a name of 1 to 200 characters.');
  end if;
  if not coalesce(length(p_hash) between 1 and 100 and length(p_prefix) between 1 and 40 and p_role is not null, false) then
    perform nofx_private.refuse(422, 'invalid-settings', 'key', 'Give the role, the hash and the first characters of the key.');
  end if;
  if not coalesce(p_scopes <@ array['runs', 'gates', 'artifacts', 'events', 'dlq', 'hooks', 'audit', 'system'], true) then
    perform nofx_private.refuse(422, 'invalid-settings', 'scopes', 'Scopes are runs, gates, artifacts, events, dlq, hooks, audit and system; default: all.');
  end if;
  perform pg_advisory_xact_lock(hashtextextended(v_tenant::text, 18));
  if (select count(*) from nofx.api_key k where k.tenant_id = v_tenant and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())) >= 200 then
    perform nofx_private.refuse(422, 'invalid-settings', 'key', 'A tenant has at most 200 valid keys: revoke one that is no longer used.');
  end if;
  insert into nofx.api_key (id, tenant_id, name, role, hash, prefix, created_by, expires_at, scopes)
  values (v_id, v_tenant, p_name, p_role, p_hash, p_prefix, nofx_private.caller_name(), p_expires_at, p_scopes);
  perform nofx_private.audit(v_tenant, 'api_key.created', v_id::text, null, jsonb_build_object('name', p_name, 'role', p_role,
    'scopes', p_scopes, 'expires_at', p_expires_at));
  insert into nofx.event (tenant_id, type, data)
  values (v_tenant, 'api_key.created', jsonb_build_object('id', v_id, 'name', p_name, 'role', p_role, 'by', nofx_private.caller_name()));
  return v_id;
end
$$;
grant execute on function nofx.create_api_key(text, nofx.person_role, text, text, timestamptz, text[]) to nofx_api;

-- Revokes an API key of the caller's tenant.
-- Takes: p_id.
-- Locks: the key's row.
-- Returns: nothing. Revoking again is not an error.
-- Raises: 403 forbidden when the caller is not an admin; 404 api-key-not-found.
create function nofx.revoke_api_key(p_id uuid)
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
begin
  update nofx.api_key set revoked_at = coalesce(revoked_at, now()) where id = p_id and tenant_id = v_tenant;
  if not found then
    perform nofx_private.refuse(404, 'api-key-not-found', p_id::text, 'List API keys with GET /api/keys.');
  end if;
  perform nofx_private.audit(v_tenant, 'api_key.revoked', p_id::text, null, null);
  insert into nofx.event (tenant_id, type, data)
  values (v_tenant, 'api_key.revoked', jsonb_build_object('id', p_id, 'by', nofx_private.caller_name()));
end
$$;
grant execute on function nofx.revoke_api_key(uuid) to nofx_api;

-- Resolves an API key to its tenant and role, and records its use (to the minute).
-- Takes: p_hash, sha256 of the key in hex.
-- Locks: the key's row, once a minute.
-- Returns: one row {id, tenant_id, role, expires_at, scopes}; none when the key is unknown, revoked or expired.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.resolve_api_key(p_hash text)
returns table (id uuid, tenant_id uuid, role nofx.person_role, expires_at timestamptz, scopes text[])
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('api key', 'Only the API resolves keys.');
  update nofx.api_key k set last_used_at = now()
   where k.hash = p_hash and (k.last_used_at is null or k.last_used_at < now() - interval '1 minute');
  return query
  select k.id, k.tenant_id, k.role, k.expires_at, k.scopes
    from nofx.api_key k
   where k.hash = p_hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
end
$$;
grant execute on function nofx.resolve_api_key(text) to service_role;
