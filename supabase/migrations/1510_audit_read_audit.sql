-- Reads the tenant's audit log in order, with payloads as stored.
-- Takes: p_after, the last seq that was read; p_limit, 1 to 1000.
-- Locks: nothing.
-- Returns: {head: {seq, hash}, rows: [the columns of audit_log, at: created_at in microseconds since 1970, sealed, key_id, wrapped_key]}.
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
               'sealed', p.sealed, 'key_id', p.key_id, 'wrapped_key', p.wrapped_key) order by a.seq), '[]')
        from (select * from nofx.audit_log
               where tenant_id = v_tenant and seq > p_after order by seq limit least(greatest(p_limit, 1), 1000)) as a
        left join nofx.audit_payload p on p.audit_id = a.id));
end
$$;
grant execute on function nofx.read_audit(bigint, int) to nofx_api;
