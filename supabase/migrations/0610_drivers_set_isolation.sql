-- Sets what the caller's tenant demands of where its steps run, in place of earlier settings. It applies to every step that is claimed from
-- then on, also in runs that were submitted earlier.
-- Takes: p_default_driver, null for worker-container; p_min_isolation, the minimum of all steps, null for none; p_tools, minimums of tools:
--   {tool, or a prefix that ends in `*`: level}, at most 100; p_images, default images: {driver that makes machines, or `task`: image}; p_toolchains,
--   names of the toolchains that steps of workers see which name none, at most 16, null for all. None has a default: a minimum is not removed by
--   leaving it out.
-- Locks: the head of the audit log; the row.
-- Returns: {default_driver, min_isolation, tools, images, toolchains}.
-- Raises: 403 forbidden when the caller's role is below admin; 422 invalid-settings.
create function nofx.set_isolation(
  p_default_driver nofx.driver, p_min_isolation nofx.isolation_level, p_tools jsonb, p_images jsonb, p_toolchains jsonb)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
  v_before jsonb;
  v_isolation nofx.isolation;
  v_bad text;
begin
  if coalesce(jsonb_typeof(p_tools), 'null') <> 'object' then
    perform nofx_private.refuse(422, 'invalid-settings', 'tools', 'Send an object: {"bash": "L3", "gate:*": "L2"}.');
  end if;
  if (select count(*) from jsonb_object_keys(p_tools)) > 100 then
    perform nofx_private.refuse(422, 'invalid-settings', 'tools', 'Name at most 100 tools; a prefix that ends in `*` names several.');
  end if;
  select t.key into v_bad from jsonb_each(p_tools) as t where length(t.key) > 100 or t.key !~ '^[a-z0-9_]+(:[A-Za-z0-9_.-]*\*?)?$' limit 1;
  if v_bad is not null then
    perform nofx_private.refuse(422, 'invalid-settings', left(v_bad, 100), 'Name a tool, or a prefix that ends in `*`: bash, gate:unit, gate:*.');
  end if;
  select t.key into v_bad from jsonb_each(p_tools) as t where jsonb_typeof(t.value) <> 'string' or t.value #>> '{}' not in ('L1', 'L2', 'L3', 'L4') limit 1;
  if v_bad is not null then
    perform nofx_private.refuse(422, 'invalid-settings', v_bad, 'Use L1, L2, L3 or L4 as the minimum of a tool.');
  end if;
  if coalesce(jsonb_typeof(p_images), 'null') <> 'object' then
    perform nofx_private.refuse(422, 'invalid-settings', 'images', 'Send an object: {"e2b": "base", "modal": "rust:1.95"}.');
  end if;
  select i.key into v_bad from jsonb_object_keys(p_images) as i (key) where i.key not in ('e2b', 'modal', 'task') limit 1;
  if v_bad is not null then
    perform nofx_private.refuse(422, 'invalid-settings', left(v_bad, 100), 'Name what makes machines of an image: e2b, modal or task.');
  end if;
  -- As shared/src/drivers/image.rs has it: what a worker could not read would hold up its claim.
  select i.key into v_bad from jsonb_each(p_images) as i
   where jsonb_typeof(i.value) <> 'string' or i.value #>> '{}' !~ '^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$' or i.value #>> '{}' like '%..%' limit 1;
  if v_bad is not null then
    perform nofx_private.refuse(422, 'invalid-settings', v_bad, 'Send a reference of an image, or the id of a template.');
  end if;
  if coalesce(jsonb_typeof(p_toolchains), 'null') not in ('array', 'null') then
    perform nofx_private.refuse(422, 'invalid-settings', 'toolchains', 'Send an array of names, or null for all: ["rust", "node"].');
  end if;
  if jsonb_typeof(p_toolchains) = 'array' and (jsonb_array_length(p_toolchains) > 16 or exists (
       select from jsonb_array_elements(p_toolchains) as t (value)
        where jsonb_typeof(t.value) <> 'string' or t.value #>> '{}' !~ '^[a-z][a-z0-9+._-]{0,39}$')) then
    perform nofx_private.refuse(422, 'invalid-settings', 'toolchains', 'Name at most 16 toolchains, as the operator names them: rust, node, python.');
  end if;
  -- Two calls at once cannot both have the same state before them.
  perform nofx_private.lock_audit(v_tenant);
  v_before := (select to_jsonb(i) - 'tenant_id' from nofx.isolation i where i.tenant_id = v_tenant);
  insert into nofx.isolation (tenant_id, default_driver, min_isolation, tools, images, toolchains, changed_by)
  values (v_tenant, p_default_driver, p_min_isolation, p_tools, p_images, nullif(p_toolchains, 'null'), nofx_private.caller_name())
  on conflict (tenant_id) do update
    set default_driver = excluded.default_driver, min_isolation = excluded.min_isolation, tools = excluded.tools,
        images = excluded.images, toolchains = excluded.toolchains,
        changed_by = excluded.changed_by, changed_at = now()
  returning * into v_isolation;
  perform nofx_private.audit(v_tenant, 'isolation.set', 'nofx.isolation', v_before, to_jsonb(v_isolation) - 'tenant_id');
  return json_build_object('default_driver', v_isolation.default_driver, 'min_isolation', v_isolation.min_isolation, 'tools', v_isolation.tools,
    'images', v_isolation.images, 'toolchains', v_isolation.toolchains);
end
$$;
grant execute on function nofx.set_isolation(nofx.driver, nofx.isolation_level, jsonb, jsonb, jsonb) to nofx_api;
