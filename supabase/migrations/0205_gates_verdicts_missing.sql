-- Reads an element of a policy's `requires`: a name alone asks what the gate asks by default.
-- Takes: p_required, a name or an object.
-- Locks: nothing.
-- Returns: {gate, …}.
-- Raises: nothing.
create function nofx_private.requirement(p_required jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case jsonb_typeof(p_required) when 'object' then p_required else jsonb_build_object('gate', p_required) end;
end
$$;

-- Says why the verdicts of a run do not meet what a policy asks.
-- Takes: p_run; p_tool, the policy's; p_requires, its list; p_tree, what they must have judged (see tree_before).
-- Locks: nothing.
-- Returns: the reason: the gates that have not passed, and those whose verdicts are too weak, by field. Null when all of them count.
-- Raises: nothing.
create function nofx_private.verdicts_missing(p_run uuid, p_tool text, p_requires jsonb, p_tree text)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_missing text[];
  v_weak text;
begin
  select array_agg(distinct f.gate order by f.gate) filter (where f.fault = ''),
         string_agg(format('%s passed, but the policy for %s asks more of it: %s', f.gate, p_tool, f.fault), '. ' order by f.gate)
           filter (where f.fault <> '')
    into v_missing, v_weak
    from (select r.required ->> 'gate' as gate, nofx_private.verdict_fault(p_run, r.required, p_tree) as fault
            from (select nofx_private.requirement(e.entry) as required from jsonb_array_elements(p_requires) as e (entry)) as r) as f;
  return nullif(concat_ws('. ',
    case when v_missing is not null
         then format('the policy for %s requires %s to have passed in this run%s', p_tool, array_to_string(v_missing, ' and '),
                case when exists (select from nofx.gate g where g.run_id = p_run and g.gate_type = any (v_missing) and g.status = 'passed'
                                      and not nofx_private.verdict_counts_for_tree(g, p_tree))
                     then ' for the tree that the step begins with' end) end,
    v_weak), '');
end
$$;

-- Says why a gate of a run does not count for a policy.
-- Takes: p_run; p_required, {gate, …}; p_tree, what it must have judged (see tree_before).
-- Locks: nothing.
-- Returns: null when it counts; an empty text when it has not passed; else what is weaker, by field.
-- Raises: nothing.
create function nofx_private.verdict_fault(p_run uuid, p_required jsonb, p_tree text)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_fault text;
begin
  -- The last verdict of each step that ran the gate counts: a passed one does not hide a failed one. One of them must be strong enough.
  select case when coalesce(bool_and(last.status in ('passed', 'waived')), false) is false then ''
              when bool_or(last.weakness is null) then null
              else min(last.weakness) end
    into v_fault
    from (select distinct on (g.step_id) g.status,
                 case when g.status <> 'waived' then nofx_private.weakness(g.asked, p_required) end as weakness
            from nofx.gate g
           where g.run_id = p_run
             and g.gate_type = p_required ->> 'gate'
             and nofx_private.verdict_counts_for_tree(g, p_tree)
           order by g.step_id, g.created_at desc, g.id desc) as last;
  return v_fault;
end
$$;

-- Says why a verdict does not count for the policies of its tenant: of each tool, the one in force.
-- Takes: p_gate, a gate that a tool decided.
-- Locks: nothing.
-- Returns: what is weaker than one of them asks; null when it counts for all that require the gate.
-- Raises: nothing.
create function nofx_private.uncounted(p_gate nofx.gate)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select min(format('the policy for %s asks more: %s', f.tool, f.weakness))
      from (select p.tool, nofx_private.weakness(p_gate.asked, nofx_private.requirement(e.entry)) as weakness
              from (select own.tool, own.requires from nofx.gate_policy own where own.tenant_id = p_gate.tenant_id
                    union all
                    -- A default that no policy of the tenant replaces.
                    select d.tool, d.requires
                      from nofx.gate_policy d
                     where d.tenant_id is null and not exists (
                       select from nofx.gate_policy own
                        where own.tenant_id = p_gate.tenant_id
                          and (own.tool = d.tool or right(own.tool, 1) = '*' and starts_with(d.tool, own.prefix)))) as p
             cross join lateral jsonb_array_elements(p.requires) as e (entry)
             where nofx_private.requirement(e.entry) ->> 'gate' = p_gate.gate_type) as f
     where f.weakness is not null);
end
$$;
