-- Creates a hook, or changes the one of that name.
-- Takes: p_name; p_phase; p_filter, CEL, checked by the API; p_target, whose url or inputs the API has checked and sealed; p_secret, a sealed
--   Standard Webhooks secret for a hook that has none, or null; p_rotate, whether to add p_secret to an existing one, which keeps signing.
-- Locks: the tenant's hooks, against others who set one; the hook.
-- Returns: {id, name, phase, filter, target, created_by: who changed phase, filter or target last, created_at, secret: p_secret if the hook uses
--   it now, else null}.
-- Raises: 403 forbidden when the caller is not an admin; 422 invalid-hook, also when the tenant has 50 hooks of other names.
create function nofx.set_hook(p_name text, p_phase nofx.hook_phase, p_filter text, p_target jsonb, p_secret text default null, p_rotate boolean default false)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
  v_kind text := p_target ->> 'kind';
  v_hook nofx.hook;
begin
  if nofx_private.is_deep(p_target) or pg_column_size(p_target) > 262144 then
    perform nofx_private.refuse(422, 'invalid-hook', 'target', 'A target has at most 256 KiB and is nested at most 72 levels deep.');
  end if;
  if jsonb_typeof(p_target) is distinct from 'object' or jsonb_path_exists(p_target, 'strict $.* ? (@.type() != "string")') then
    perform nofx_private.refuse(422, 'invalid-hook', 'target', 'Use texts for kind, url, receiver, tool, name and inputs.');
  end if;
  if not coalesce(case v_kind
       when 'webhook' then p_target - array['kind', 'url', 'receiver'] = '{}' and nofx_private.is_sealed(p_target ->> 'url') and length(p_target ->> 'receiver') <= 300
       when 'slack' then p_target - array['kind', 'url', 'receiver'] = '{}' and nofx_private.is_sealed(p_target ->> 'url') and length(p_target ->> 'receiver') <= 300
         and p_phase <> 'pre'
       when 'tool' then p_target - array['kind', 'tool', 'inputs'] = '{}' and p_target ->> 'tool' is not null and nofx_private.is_sealed(p_target ->> 'inputs')
         and p_phase <> 'pre'
       when 'function' then p_target - array['kind', 'name'] = '{}' and p_target ->> 'name' ~ '^[a-z_][a-z0-9_]{0,62}$'
     end, false) then
    perform nofx_private.refuse(422, 'invalid-hook', 'target',
      'Use {kind: webhook, url}, {kind: slack, url}, {kind: tool, tool, inputs} or {kind: function, name}; a pre hook must be a webhook or function. URL and inputs are stored sealed only.');
  end if;
  if p_secret is not null and not nofx_private.is_sealed(p_secret) then
    perform nofx_private.refuse(422, 'invalid-hook', 'secret', 'A secret is stored sealed only.');
  end if;
  if v_kind = 'function' and to_regprocedure(format('nofx_hooks.%I(jsonb)', p_target ->> 'name')) is null then
    perform nofx_private.refuse(422, 'invalid-hook', p_target ->> 'name', 'No such function in nofx_hooks; an operator must create it.');
  end if;
  perform pg_advisory_xact_lock(hashtextextended(v_tenant::text, 16));
  if (select count(*) from nofx.hook where tenant_id = v_tenant and name <> p_name) >= 50 then
    perform nofx_private.refuse(422, 'invalid-hook', p_name, 'A tenant has at most 50 hooks: delete one that is no longer used.');
  end if;
  begin
    insert into nofx.hook as h (id, tenant_id, name, phase, filter, target, secrets, created_by)
    values (nofx_private.uuid_v7(), v_tenant, p_name, p_phase, coalesce(p_filter, ''), p_target, array_remove(array[p_secret], null), nofx_private.caller_name())
    on conflict (tenant_id, name) do update
       set phase = excluded.phase, filter = excluded.filter, target = excluded.target,
           -- Its runs are of whoever said last what it does: nobody submits in another's name. What is sealed anew is another target.
           created_by = case when (h.phase, h.filter, h.target) is distinct from (excluded.phase, excluded.filter, excluded.target)
                             then excluded.created_by else h.created_by end,
           secrets = case when p_rotate or cardinality(h.secrets) = 0 then (excluded.secrets || h.secrets)[1:2] else h.secrets end,
           is_failing = false, disabled_at = null, disabled_reason = null
    returning * into v_hook;
  exception when check_violation then
    perform nofx_private.refuse(422, 'invalid-hook', p_name, 'A name has 1 to 80 letters, digits, `_`, `.` or `-`; a filter at most 2,000 characters.');
  end;
  -- The first background hook receives no earlier events.
  if p_phase = 'background' then
    insert into nofx.subscription (tenant_id, name, tx, id)
    values (v_tenant, 'hooks', pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, 9223372036854775807)
    on conflict (tenant_id, name) do update
       set tx = excluded.tx, id = excluded.id, changed_at = now()
     where v_hook.created_at = now() and not exists (
       select from nofx.hook h
        where h.tenant_id = v_tenant and h.phase = 'background' and h.disabled_at is null and h.id <> v_hook.id);
  end if;
  perform nofx_private.audit(v_tenant, 'hook.set', p_name, null, to_jsonb(v_hook) - array['secrets']);
  return json_build_object('id', v_hook.id, 'name', v_hook.name, 'phase', v_hook.phase, 'filter', v_hook.filter, 'target', v_hook.target,
    'created_by', v_hook.created_by, 'created_at', v_hook.created_at, 'secret', case when v_hook.secrets[1] = p_secret then p_secret end);
end
$$;
grant execute on function nofx.set_hook(text, nofx.hook_phase, text, jsonb, text, boolean) to nofx_api;

-- Deletes a hook with its deliveries.
-- Takes: p_id.
-- Locks: the hook and its deliveries.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller is not an admin; 404 hook-not-found.
create function nofx.delete_hook(p_id uuid)
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
  v_name text;
begin
  delete from nofx.hook where id = p_id and tenant_id = v_tenant returning name into v_name;
  if not found then
    perform nofx_private.refuse(404, 'hook-not-found', p_id::text, 'List hooks with GET /api/hooks.');
  end if;
  perform nofx_private.audit(v_tenant, 'hook.deleted', v_name, null, null);
end
$$;
grant execute on function nofx.delete_hook(uuid) to nofx_api;

-- Returns the request hooks of a tenant, with their secrets and the private networks that they may reach.
-- Takes: p_tenant.
-- Locks: nothing.
-- Returns: {hooks: [{id, name, phase, filter, target, secrets}], networks}.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.request_hooks(p_tenant uuid)
returns json
language plpgsql
stable
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('hook', 'Only the API reads the hooks of requests.');
  return json_build_object(
    'hooks', (select coalesce(json_agg(json_build_object('id', id, 'name', name, 'phase', phase, 'filter', filter, 'target', target,
                       'secrets', secrets) order by name), '[]')
                from nofx.hook where tenant_id = p_tenant and phase <> 'background' and disabled_at is null),
    'networks', (select coalesce(json_agg(network), '[]') from nofx.allowed_network where tenant_id = p_tenant));
end
$$;
grant execute on function nofx.request_hooks(uuid) to service_role;

-- Calls a function that an operator created for hooks.
-- Takes: p_name, of schema nofx_hooks; p_tenant, which the function can read as setting nofx.tenant; p_payload.
-- Locks: what the function locks.
-- Returns: the function's result.
-- Raises: 403 forbidden when the caller is not the service role; 404 hook-not-found; errors of the function; 57014 after five seconds.
create function nofx.call_hook_function(p_name text, p_tenant uuid, p_payload jsonb)
returns jsonb
language plpgsql
-- PostgREST sets this limit before it calls the function: one that is set inside does not bind the statement that runs.
security definer set search_path = '' set statement_timeout = '5s'
as $$
declare
  v_answer jsonb;
begin
  perform nofx_private.require_service('hook', 'Only the API and workers call hooks.');
  if to_regprocedure(format('nofx_hooks.%I(jsonb)', p_name)) is null then
    perform nofx_private.refuse(404, 'hook-not-found', p_name, 'No such function in nofx_hooks; an operator must create it.');
  end if;
  perform set_config('nofx.tenant', p_tenant::text, true);
  execute format('select to_jsonb(nofx_hooks.%I($1))', p_name) into v_answer using p_payload;
  return v_answer;
end
$$;
grant execute on function nofx.call_hook_function(text, uuid, jsonb) to service_role;
