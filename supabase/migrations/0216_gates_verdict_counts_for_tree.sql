-- Checks whether a verdict says something about a tree: it judged exactly that one. One that judged no workspace counts where there is none.
-- Takes: p_gate; p_tree, see tree_before.
-- Locks: nothing.
-- Returns: true when it counts.
-- Raises: nothing.
create function nofx_private.verdict_counts_for_tree(p_gate nofx.gate, p_tree text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return p_gate.tree is not distinct from p_tree;
end
$$;

-- Checks that trees which a step is about to publish were judged as the policy for its tool requires.
-- Takes: p_step and p_token, the step and its lease; p_trees, those of the commits.
-- Locks: the step's row.
-- Returns: {is_required: whether the policy requires gates at all, missing: {tree, gates}, the first tree that lacks verdicts, or null}; null
--   when the lease has expired. Each gate with what its verdict is too weak in, if it has one.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.check_verdicts(p_step uuid, p_token uuid, p_trees text[])
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_step nofx.step := nofx_private.leased_step(p_step, p_token, 'gate');
  v_policy nofx.gate_policy;
begin
  if v_step.id is null then
    return null;
  end if;
  v_policy := nofx_private.policy_for(v_step);
  return json_build_object(
    'is_required', coalesce((v_policy).requires, '[]') <> '[]',
    'missing', (
      select json_build_object('tree', f.tree, 'gates', json_agg(
               case f.fault when '' then f.gate else format('%s (%s)', f.gate, f.fault) end order by f.gate))
        from (select t.tree, t.n, r.required ->> 'gate' as gate, nofx_private.verdict_fault(v_step.run_id, r.required, t.tree) as fault
                from unnest(p_trees) with ordinality as t (tree, n)
               cross join lateral (
                 select nofx_private.requirement(e.entry) as required from jsonb_array_elements((v_policy).requires) as e (entry)) as r) as f
       where f.fault is not null
       group by f.tree, f.n
       order by f.n
       limit 1));
end
$$;
grant execute on function nofx.check_verdicts(uuid, uuid, text[]) to service_role;
