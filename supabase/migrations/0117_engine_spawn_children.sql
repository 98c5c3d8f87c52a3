-- Spawns the children of for_each steps: one step per item, named name[0], name[1], …; the parent needs all of them.
-- Takes: p_outcomes, accepted outcomes of kind `children` with at least one item; the locks of their runs must be held.
-- Locks: the rows of the parents and of their runs.
-- Returns: events to emit.
-- Raises: 422 too-many-children when a run would have more than 10,000 children.
create function nofx_private.spawn_children(p_outcomes nofx_private.outcome[])
returns nofx_private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_ready uuid[];
  v_full uuid;
begin
  with children as (
    select p as parent, item.n, item.value, row_number() over (order by p.id, item.n) as place
      from unnest(p_outcomes) as o
      join nofx.step p on p.id = o.step_id
     cross join lateral jsonb_array_elements(o.children) with ordinality as item (value, n)
  ), ids as (
    select nofx_private.uuids_v7((select count(*)::int from children)) as id
  ), made as (
    insert into nofx.step (
      id, tenant_id, run_id, parent_id, item_index, item, "position", name, tool, spec, on_failure, max_attempts,
      concurrency_key, concurrency_limit, status, ready_at
    )
    select ids.id[c.place], (c.parent).tenant_id, (c.parent).run_id, (c.parent).id, c.n - 1, c.value, (c.parent)."position",
           (c.parent).name || '[' || c.n - 1 || ']', (c.parent).tool, (c.parent).spec - 'for_each' - 'if', 'continue',
           (c.parent).max_attempts, (c.parent).concurrency_key, (c.parent).concurrency_limit,
           case when r.status = 'paused' then 'pending' else 'ready' end::nofx.step_status,
           case when r.status <> 'paused' then now() end
      from children c
     cross join ids
      join nofx.run r on r.id = (c.parent).run_id
    returning id, tenant_id, run_id, parent_id, status
  ), edges as (
    insert into nofx.step_edge (tenant_id, run_id, step_id, needs_id)
    select m.tenant_id, m.run_id, m.parent_id, m.id from made m
  ), waiting as (
    update nofx.step s
       set needs_left = c.n
      from (select m.parent_id, count(*)::int as n from made m group by m.parent_id) as c
     where s.id = c.parent_id
  ), grown as (
    update nofx.run r
       set open_steps = r.open_steps + c.n, steps_total = r.steps_total + c.n
      from (select m.run_id, count(*)::int as n from made m group by m.run_id) as c
     where r.id = c.run_id
    returning r.id
  )
  select array_agg(m.id) filter (where m.status = 'ready') into v_ready from made m;

  select s.run_id into v_full
    from nofx.step s
   where s.parent_id is not null
     and s.run_id in (select p.run_id from unnest(p_outcomes) as o join nofx.step p on p.id = o.step_id)
   group by s.run_id
  having count(*) > 10000
   limit 1;
  if v_full is not null then
    perform nofx_private.refuse(422, 'too-many-children', v_full::text, 'A run can have at most 10,000 children; split the list.');
  end if;
  return nofx_private.enqueue_steps(v_ready);
end
$$;
