-- Reads the tenant's audit log in order, with payloads as stored.
-- Takes: p_after, the last seq that was read; p_limit, 1 to 1000.
-- Locks: nothing.
-- Returns: {head: {seq, hash}, rows: [the columns of audit_log, at: created_at in microseconds since 1970, plain, sealed, key_id,
--   wrapped_key]}.
-- Raises: 403 forbidden when the caller's role is below supervisor.
create function nofx.read_audit(p_after bigint default 0, p_limit int default 100)
returns json
language plpgsql
stable
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('supervisor');
begin
  return json_build_object(
    'head', coalesce((select json_build_object('seq', h.seq, 'hash', h.hash) from nofx_private.audit_head h where h.tenant_id = v_tenant),
                     json_build_object('seq', 0, 'hash', repeat('0', 64))),
    'rows', (
      select coalesce(json_agg(to_jsonb(a) || jsonb_build_object(
               'at', (extract(epoch from a.created_at) * 1000000)::bigint,
               'plain', p.plain, 'sealed', p.sealed, 'key_id', p.key_id, 'wrapped_key', p.wrapped_key) order by a.seq), '[]')
        from (select * from nofx.audit_log
               where tenant_id = v_tenant and seq > p_after order by seq limit least(greatest(p_limit, 1), 1000)) as a
        left join nofx.audit_payload p on p.audit_id = a.id));
end
$$;
grant execute on function nofx.read_audit(bigint, int) to nofx_api;

-- Lists payloads to seal, or whose keys must be wrapped again.
-- Takes: p_key, the current wrapping key; p_limit.
-- Locks: nothing.
-- Returns: a JSON array of {audit_id, tenant_id, plain, key_id, wrapped_key}: unsealed payloads with `plain`, and those whose key
--   another key wraps.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.list_unsealed_payloads(p_key text, p_limit int default 200)
returns json
language plpgsql
stable
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('audit', 'Only workers seal payloads.');
  return (
    select coalesce(json_agg(open), '[]') from (
      (select audit_id, tenant_id, plain, null as key_id, null as wrapped_key
         from nofx.audit_payload where sealed is null limit least(p_limit, 1000))
      union all
      (select audit_id, tenant_id, null, key_id, wrapped_key
         from nofx.audit_payload where sealed is not null and (key_id < p_key or key_id > p_key) limit least(p_limit, 1000))
    ) as open);
end
$$;
grant execute on function nofx.list_unsealed_payloads(text, int) to service_role;

-- Stores sealed payloads, or newly wrapped keys. A payload that is sealed already keeps its ciphertext.
-- Takes: p_payloads, an array of {audit_id, sealed, key_id, wrapped_key, was}; `was` is the wrapped key that a new one replaces.
-- Locks: the payloads.
-- Returns: how many were changed.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.seal_payloads(p_payloads jsonb)
returns int
language plpgsql
security definer set search_path = ''
as $$
declare
  v_count int;
begin
  perform nofx_private.require_service('audit', 'Only workers seal payloads.');
  update nofx.audit_payload p
     set plain = null, sealed = coalesce(p.sealed, s.sealed), key_id = s.key_id, wrapped_key = s.wrapped_key
    from jsonb_to_recordset(p_payloads) as s (audit_id uuid, sealed text, key_id text, wrapped_key text, was text)
   where p.audit_id = s.audit_id and p.wrapped_key is not distinct from s.was;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
grant execute on function nofx.seal_payloads(jsonb) to service_role;
