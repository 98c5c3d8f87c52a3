-- Returns the name of a step's tool in policies: a db_write with its operation; an unknown operation counts as delete.
-- Takes: p_step.
-- Locks: nothing.
-- Returns: the tool, for db_write with its operation.
-- Raises: nothing.
create function nofx_private.policy_key(p_step nofx.step)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  if p_step.tool <> 'db_write' then
    return p_step.tool;
  end if;
  return 'db_write:' || case
    when p_step.spec -> 'inputs' -> 'dry_run' = 'true' then 'dry_run'
    when p_step.spec -> 'inputs' ->> 'op' in ('insert', 'update', 'upsert', 'delete') then p_step.spec -> 'inputs' ->> 'op'
    else 'delete' end;
end
$$;

-- Finds the policy for a step: the tenant's own before the defaults, longer names before shorter ones.
-- Takes: p_step.
-- Locks: nothing.
-- Returns: the policy, or null.
-- Raises: nothing.
create function nofx_private.policy_for(p_step nofx.step)
returns nofx.gate_policy
language plpgsql
stable
set search_path = ''
as $$
declare
  v_policy nofx.gate_policy;
  v_name text := nofx_private.policy_key(p_step);
begin
  -- Each by the index: what other tenants have costs nothing.
  select p.* into v_policy
    from nofx.gate_policy p
   where p.tenant_id = p_step.tenant_id
     and (p.tool = v_name or right(p.tool, 1) = '*' and starts_with(v_name, p.prefix))
   order by length(p.tool) desc
   limit 1;
  if not found then
    select p.* into v_policy
      from nofx.gate_policy p
     where p.tenant_id is null
       and (p.tool = v_name or right(p.tool, 1) = '*' and starts_with(v_name, p.prefix))
     order by length(p.tool) desc
     limit 1;
  end if;
  return v_policy;
end
$$;

-- Returns the approval that a step requires: by its plan and by the policy, whichever is stricter.
-- Takes: p_step; p_policy, its policy, or null.
-- Locks: nothing.
-- Returns: {gate_type, role, count, expires_s, author_may_approve, keys_may_approve}; null when no approval is required.
-- Raises: nothing.
create function nofx_private.approval_for(p_step nofx.step, p_policy nofx.gate_policy)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_plan jsonb := nullif(p_step.spec -> 'approval', 'null');
  v_policy jsonb := nullif((p_policy).approval, 'null');
begin
  if v_plan is null and v_policy is null and p_step.tool not like 'manual:%' then
    return null;
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'gate_type', case when p_step.tool like 'manual:%' then p_step.tool
                 when p_step.tool = 'db_write' then 'manual:db'
                 when p_step.tool = 'git:pr' then 'manual:pr'
                 else 'manual:approval' end,
    'role', greatest('supervisor'::nofx.person_role, (v_plan ->> 'role')::nofx.person_role, (v_policy ->> 'role')::nofx.person_role),
    'count', greatest(1, (v_plan ->> 'count')::int, (v_policy ->> 'count')::int),
    'expires_s', least((v_plan ->> 'expires_s')::int, (v_policy ->> 'expires_s')::int),
    -- A required approval follows the four-eyes principle; a plain manual step does not. Only a policy can exempt the author.
    'author_may_approve', coalesce((v_policy ->> 'author_may_approve')::boolean, v_plan is null and v_policy is null),
    -- People approve. Only a policy lets keys do it.
    'keys_may_approve', coalesce((v_policy ->> 'keys_may_approve')::boolean, false)));
end
$$;

-- Returns the reason why a claimed step may not run yet.
-- Takes: p_step, a step that was just claimed.
-- Locks: nothing.
-- Returns: null when it may run; {refuse: reason} when gates that its policy requires have not passed in its run, or proved less than it
--   asks; {approval: {gate_type, …}} when people must approve first.
-- Raises: nothing.
create function nofx_private.hold_for(p_step nofx.step)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_policy nofx.gate_policy := nofx_private.policy_for(p_step);
  v_approval jsonb;
  v_refusal text;
begin
  -- A for_each step only spawns its children; each of them is held on its own.
  -- By value: `"for_each": null` is none, to the worker too.
  if p_step.spec ->> 'for_each' is not null then
    return null;
  end if;
  if (v_policy).requires <> '[]' then
    v_refusal := nofx_private.verdicts_missing(p_step.run_id, (v_policy).tool, (v_policy).requires, nofx_private.tree_before(p_step));
    if v_refusal is not null then
      return jsonb_build_object('refuse', v_refusal);
    end if;
  end if;
  if p_step.gate_id is not null or p_step.tool like 'manual:%' then
    return null;
  end if;
  v_approval := nofx_private.approval_for(p_step, v_policy);
  return case when v_approval is not null then jsonb_build_object('approval', v_approval) end;
end
$$;
