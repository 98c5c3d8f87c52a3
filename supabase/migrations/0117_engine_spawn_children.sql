-- Finds out whether children are too many, or too much, before any is made: each has its item, and the spec of its parent.
-- Takes: p_outcomes, as spawn_children takes them.
-- Locks: nothing.
-- Returns: what is wrong; null for nothing. A run has at most 10,000 children; those of one settle have at most 64 MiB.
-- Raises: nothing.
create function nofx_private.children_fault(p_outcomes nofx_private.outcome[])
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_bytes bigint;
  v_full bool;
begin
  select sum(pg_column_size(o.children) + jsonb_array_length(o.children)::bigint * (200 + octet_length((p.spec - 'for_each' - 'if')::text)))
    into v_bytes
    from unnest(p_outcomes) as o
    join nofx.step p on p.id = o.step_id;
  if v_bytes > 67108864 then
    return format('The children would have %s bytes together, at most 67108864 are made: iterate over ids or artifacts, with small inputs.', v_bytes);
  end if;
  -- The children of a run are counted only when there may be so many.
  select bool_or(grown.n + r.steps_total > 10000 and grown.n + (select count(*) from nofx.step c where c.run_id = r.id and c.parent_id is not null) > 10000)
    into v_full
    from (select p.run_id, sum(jsonb_array_length(o.children)) as n
            from unnest(p_outcomes) as o
            join nofx.step p on p.id = o.step_id
           group by p.run_id) as grown
    join nofx.run r on r.id = grown.run_id;
  return case when v_full then 'A run can have at most 10,000 children; split the list.' end;
end
$$;

-- Spawns the children of for_each steps: one step per item, named name[0], name[1], …; the parent needs all of them.
-- Takes: p_outcomes, accepted outcomes of kind `children` with at least one item; the locks of their runs must be held.
-- Locks: the rows of the parents and of their runs.
-- Returns: events to emit.
-- Raises: 422 too-many-children, see children_fault; before anything is written.
create function nofx_private.spawn_children(p_outcomes nofx_private.outcome[])
returns nofx_private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_ready uuid[];
  v_fault text;
begin
  v_fault := nofx_private.children_fault(p_outcomes);
  if v_fault is not null then
    perform nofx_private.refuse(422, 'too-many-children', 'for_each', v_fault);
  end if;
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
  return nofx_private.enqueue_steps(v_ready);
end
$$;
