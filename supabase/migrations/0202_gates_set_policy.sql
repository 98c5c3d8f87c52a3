-- Sets the requirements before a tool may run, for the caller's tenant.
-- Takes: p_tool, a name or a prefix that ends in `*`; p_requires, an array of gates that must have passed in the same run, each by its name
--   or as {gate, command, cwd, report, format, fail_on, threshold, exclude, accept, base, min_tests, env, images} (see weakness);
--   p_approval, {role, count, expires_s, author_may_approve, keys_may_approve} or null.
-- Locks: the tenant's policies, against others who set one; the policy's row.
-- Returns: the policy {id, tool, requires, approval, changed_by, changed_at}.
-- Raises: 403 forbidden, to API keys also; 422 invalid-gate-policy, also when the tenant has 100 policies of other tools.
create function nofx.set_gate_policy(p_tool text, p_requires jsonb default '[]', p_approval jsonb default null)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
  v_policy nofx.gate_policy;
  v_bad text;
begin
  -- A key would decide for itself what it may approve.
  if nofx_private.caller_key() is not null then
    perform nofx_private.refuse(403, 'forbidden', 'api key', 'People set and delete gate policies: sign in, or ask an admin who does.');
  end if;
  p_requires := coalesce(nullif(p_requires, 'null'), '[]');
  v_bad := nofx_private.requirements_fault(p_requires);
  if v_bad is not null then
    perform nofx_private.refuse(422, 'invalid-gate-policy', 'requires', v_bad || '.');
  end if;
  if not coalesce(p_tool ~ '^[a-z_]+(:[A-Za-z0-9_.-]*\*?)?$' and length(p_tool) <= 200, false) then
    perform nofx_private.refuse(422, 'invalid-gate-policy', p_tool, 'Name a tool, or a prefix that ends in `*`: manual:deploy, git:*, db_write:delete.');
  end if;
  p_approval := nullif(p_approval, 'null');
  if p_approval is not null and not coalesce(
       jsonb_typeof(p_approval) = 'object'
       and p_approval - array['role', 'count', 'expires_s', 'author_may_approve', 'keys_may_approve'] = '{}'
       and coalesce(p_approval -> 'role', 'null') in ('null', '"supervisor"', '"admin"')
       and coalesce(p_approval -> 'count', 'null')::text ~ '^(null|[1-9]|10)$'
       and coalesce(p_approval -> 'expires_s', 'null')::text ~ '^(null|[1-9][0-9]{0,7})$'
       and coalesce(p_approval -> 'author_may_approve', 'null') in ('null', 'true', 'false')
       and coalesce(p_approval -> 'keys_may_approve', 'null') in ('null', 'true', 'false'), false) then
    perform nofx_private.refuse(422, 'invalid-gate-policy', p_approval::text,
      'Set role (supervisor or admin), count (1 to 10), expires_s (1 to 99999999), author_may_approve and keys_may_approve (true or false), or none of them.');
  end if;
  perform pg_advisory_xact_lock(hashtextextended(v_tenant::text, 17));
  -- Each claim of the tenant's steps reads them.
  if (select count(*) from nofx.gate_policy where tenant_id = v_tenant and tool <> p_tool) >= 100 then
    perform nofx_private.refuse(422, 'invalid-gate-policy', p_tool, 'A tenant has at most 100 policies: delete one, or set one for a prefix that ends in `*`.');
  end if;
  insert into nofx.gate_policy (id, tenant_id, tool, requires, approval, changed_by)
  values (nofx_private.uuid_v7(), v_tenant, p_tool, p_requires, p_approval, nofx_private.caller_name())
  on conflict (tenant_id, tool) do update
    set requires = excluded.requires, approval = excluded.approval, changed_by = excluded.changed_by, changed_at = now()
  returning * into v_policy;
  perform nofx_private.audit(v_tenant, 'gate_policy.set', p_tool, null, jsonb_build_object('requires', p_requires, 'approval', p_approval));
  return json_build_object('id', v_policy.id, 'tool', v_policy.tool, 'requires', v_policy.requires, 'approval', v_policy.approval,
    'changed_by', v_policy.changed_by, 'changed_at', v_policy.changed_at);
end
$$;
grant execute on function nofx.set_gate_policy(text, jsonb, jsonb) to nofx_api;

-- Deletes a policy of the caller's tenant; the default applies again.
-- Takes: p_id.
-- Locks: the policy's row.
-- Returns: nothing.
-- Raises: 403 forbidden, to API keys also; 404 gate-policy-not-found.
create function nofx.delete_gate_policy(p_id uuid)
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
begin
  -- A key would decide for itself what it may approve.
  if nofx_private.caller_key() is not null then
    perform nofx_private.refuse(403, 'forbidden', 'api key', 'People set and delete gate policies: sign in, or ask an admin who does.');
  end if;
  delete from nofx.gate_policy where id = p_id and tenant_id = v_tenant;
  if not found then
    perform nofx_private.refuse(404, 'gate-policy-not-found', p_id::text, 'List gate policies with GET /api/gates/policies.');
  end if;
  perform nofx_private.audit(v_tenant, 'gate_policy.deleted', p_id::text, null, null);
end
$$;
grant execute on function nofx.delete_gate_policy(uuid) to nofx_api;

-- Plans that a model wrote need an approval, which may be the author's.
insert into nofx.gate_policy (id, tool, approval, changed_by)
values (nofx_private.uuid_v7(), 'plan:submit', '{"author_may_approve": true}', 'nofx');

-- Actions that cannot be undone need an approval, unless a tenant's policy says otherwise.
insert into nofx.gate_policy (id, tool, approval, changed_by)
select nofx_private.uuid_v7(), tool, '{}', 'nofx'
  from unnest(array['manual:deploy', 'db_write:update', 'db_write:upsert', 'db_write:delete']) as tool;

-- What leaves the workspace was checked: by the repository's own tools, and 90 % of the lines that changed were run by tests.
insert into nofx.gate_policy (id, tool, requires, approval, changed_by)
select nofx_private.uuid_v7(), tool, '["gate:typecheck", "gate:lint", "gate:unit", "gate:coverage"]', approval, 'nofx'
  from (values ('git:push', null::jsonb), ('git:pr', '{}')) as p (tool, approval);
