-- Reads what the last verdict of a tool at a step is about; for a for_each what those of all its children are about.
-- Takes: p_step.
-- Locks: nothing.
-- Returns: {commit, is_clean, uncounted}: the commit that was checked out, whether the workspace was exactly that, and why the verdict counts
--   for no policy. Children that judged different commits have none. Null without a verdict, and when a child has none or there are no children.
-- Raises: nothing.
create function nofx_private.judged_of(p_step nofx.step)
returns json
language plpgsql
stable
set search_path = ''
as $$
declare
  v_steps uuid[] := array[p_step.id];
begin
  if p_step.tool not like 'gate:%' then
    return null;
  end if;
  if p_step.spec ->> 'for_each' is not null then
    v_steps := coalesce((select array_agg(k.id) from nofx.step k where k.parent_id = p_step.id), '{}');
  end if;
  return (
    select json_build_object(
             'commit', case when count(v.commit) = count(*) and min(v.commit) = max(v.commit) then min(v.commit) end,
             'is_clean', bool_and(coalesce(v.is_clean, false)), 'uncounted', min(v.uncounted))
      from unnest(v_steps) as j (id)
      left join lateral (
             select g.step_id, g.commit, g.is_clean, nofx_private.uncounted(g) as uncounted
               from nofx.gate g
              where g.step_id = j.id and g.gate_type = p_step.tool
              order by g.created_at desc, g.id desc
              limit 1) v on true
    having count(*) > 0 and count(v.step_id) = count(*));
end
$$;
