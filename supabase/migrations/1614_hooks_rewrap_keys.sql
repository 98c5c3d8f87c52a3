-- Lists what is sealed by keys that another key than the current one wraps: payloads of the audit log, targets and secrets of hooks, secrets of
-- webhook sources.
-- Takes: p_key, the current wrapping key; p_limit, of each kind.
-- Locks: nothing.
-- Returns: a JSON array of {kind, id, about, was}: `about` is what it is sealed for; `was` the wrapped key as `<key id>.<wrapped key>` for a
--   payload, else the sealed text.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.list_stale_keys(p_key text, p_limit int default 200)
returns json
language plpgsql
stable
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('audit', 'Only workers wrap keys again.');
  return (
    select coalesce(json_agg(stale), '[]') from (
      (select 'payload' as kind, audit_id as id, 'audit' as about, key_id || '.' || wrapped_key as was
         from nofx.audit_payload where key_id < p_key or key_id > p_key limit least(p_limit, 1000))
      union all
      (select 'hook_target', id, format('hook_target/%s/%s', tenant_id, name), coalesce(target ->> 'url', target ->> 'inputs')
         from nofx.hook
        where split_part(coalesce(target ->> 'url', target ->> 'inputs'), '.', 2) <> p_key limit least(p_limit, 1000))
      union all
      (select 'hook_secret', h.id, format('hook_secret/%s/%s', h.tenant_id, h.name), secret
         from nofx.hook h cross join unnest(h.secrets) as secret
        where split_part(secret, '.', 2) <> p_key limit least(p_limit, 1000))
      union all
      (select 'webhook_secret', s.id, format('webhook_secret/%s/%s', s.tenant_id, s.name), secret
         from nofx.webhook_source s cross join unnest(s.secrets) as secret
        where split_part(secret, '.', 2) <> p_key limit least(p_limit, 1000))
    ) as stale);
end
$$;
grant execute on function nofx.list_stale_keys(text, int) to service_role;

-- Stores keys that were wrapped again. What was changed since it was listed stays as it is.
-- Takes: p_keys, an array of {kind, id, was, now} in the forms of list_stale_keys.
-- Locks: the rows.
-- Returns: how many were changed.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.rewrap_keys(p_keys jsonb)
returns int
language plpgsql
security definer set search_path = ''
as $$
declare
  v_payloads int;
  v_targets int;
  v_secrets int;
  v_sources int;
begin
  perform nofx_private.require_service('audit', 'Only workers wrap keys again.');
  update nofx.audit_payload p
     set key_id = split_part(k.now, '.', 1), wrapped_key = split_part(k.now, '.', 2)
    from jsonb_to_recordset(p_keys) as k (kind text, id uuid, was text, now text)
   where k.kind = 'payload' and p.audit_id = k.id and p.key_id || '.' || p.wrapped_key = k.was;
  get diagnostics v_payloads = row_count;
  update nofx.hook h
     set target = h.target || jsonb_build_object(case when h.target ? 'url' then 'url' else 'inputs' end, k.now)
    from jsonb_to_recordset(p_keys) as k (kind text, id uuid, was text, now text)
   where k.kind = 'hook_target' and h.id = k.id and coalesce(h.target ->> 'url', h.target ->> 'inputs') = k.was and nofx_private.is_sealed(k.now);
  get diagnostics v_targets = row_count;
  -- A row may have two secrets: an update with two matches would take one of them.
  update nofx.hook h
     set secrets = array(select coalesce(k.now, secret)
                           from unnest(h.secrets) with ordinality as o (secret, n)
                           left join jsonb_to_recordset(p_keys) as k (kind text, id uuid, was text, now text)
                                  on k.kind = 'hook_secret' and k.id = h.id and k.was = secret
                          order by n)
   where h.id in (select k.id from jsonb_to_recordset(p_keys) as k (kind text, id uuid, was text) where k.kind = 'hook_secret' and k.was = any (h.secrets));
  get diagnostics v_secrets = row_count;
  update nofx.webhook_source s
     set secrets = array(select coalesce(k.now, secret)
                           from unnest(s.secrets) with ordinality as o (secret, n)
                           left join jsonb_to_recordset(p_keys) as k (kind text, id uuid, was text, now text)
                                  on k.kind = 'webhook_secret' and k.id = s.id and k.was = secret
                          order by n)
   where s.id in (select k.id from jsonb_to_recordset(p_keys) as k (kind text, id uuid, was text) where k.kind = 'webhook_secret' and k.was = any (s.secrets));
  get diagnostics v_sources = row_count;
  return v_payloads + v_targets + v_secrets + v_sources;
end
$$;
grant execute on function nofx.rewrap_keys(jsonb) to service_role;
