-- Sets the model settings of the caller's tenant, in place of earlier ones.
-- Takes: p_order, {codegen | reasoning | docs: ["provider" or "provider/model", …]}; p_budget, {run_usd, run_tokens, day_usd,
--   day_tokens}.
-- Locks: the row.
-- Returns: {order, budget}.
-- Raises: 403 forbidden; 422 invalid-settings.
create function nofx.set_model_settings(p_order jsonb default '{}', p_budget jsonb default '{}')
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
begin
  if not coalesce(jsonb_typeof(p_order) = 'object' and p_order - array['codegen', 'reasoning', 'docs'] = '{}'
       and not exists (select from jsonb_each(p_order) as o where case when jsonb_typeof(o.value) <> 'array' then true
              else jsonb_array_length(o.value) not between 1 and 10 or jsonb_path_exists(o.value, 'strict $[*] ? (@.type() != "string")') end)
       and pg_column_size(p_order) <= 65536, false) then
    perform nofx_private.refuse(422, 'invalid-settings', 'order', 'Use lists of "provider" or "provider/model" for codegen, reasoning and docs.');
  end if;
  if not coalesce(jsonb_typeof(p_budget) = 'object' and p_budget - array['run_usd', 'run_tokens', 'day_usd', 'day_tokens'] = '{}'
       and not exists (select from jsonb_each(p_budget) as b where jsonb_typeof(b.value) <> 'number' or (b.value)::numeric < 0), false) then
    perform nofx_private.refuse(422, 'invalid-settings', 'budget', 'Set run_usd, run_tokens, day_usd and day_tokens to numbers, or none of them.');
  end if;
  insert into nofx.model_settings (tenant_id, "order", budget, changed_by)
  values (v_tenant, p_order, p_budget, nofx_private.caller_name())
  on conflict (tenant_id) do update
    set "order" = excluded."order", budget = excluded.budget, changed_by = excluded.changed_by, changed_at = now();
  perform nofx_private.audit(v_tenant, 'model_settings.set', 'nofx.model_settings', null, jsonb_build_object('order', p_order, 'budget', p_budget));
  return json_build_object('order', p_order, 'budget', p_budget);
end
$$;
grant execute on function nofx.set_model_settings(jsonb, jsonb) to nofx_api;
