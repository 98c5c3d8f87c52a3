-- The blobs of a run's snapshots: manifests, and packs with what steps changed. Named by their digests, as the content of artifacts is, and
-- removed with the run.
create table nofx_private.snapshot_blob (
  run_id uuid not null,
  blob text not null,
  primary key (run_id, blob)
);
create index snapshot_blob_with_blob on nofx_private.snapshot_blob (blob);

-- Lists the steps that steps begin after: their needs, for a child also those of its for_each step, and those before these.
-- Takes: p_steps, of one run; p_until_snapshots, whether to go no further than to the nearest steps that left a snapshot.
-- Locks: nothing.
-- Returns: their ids; with p_until_snapshots only those of steps with a snapshot.
-- Raises: nothing.
create function nofx_private.steps_before(p_steps uuid[], p_until_snapshots boolean)
returns setof uuid
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
    -- `is_own`: only what the for_each step needs itself, not its children.
    with recursive begins (step_id, is_own) as (
      select first.step_id, first.is_own
        from nofx.step s
       cross join lateral (values (s.id, false), (s.parent_id, true)) as first (step_id, is_own)
       where s.id = any (p_steps) and first.step_id is not null
      union
      select next.step_id, next.is_own
        from begins b
        join nofx.step at on at.id = b.step_id
        join nofx.step_edge e on e.run_id = at.run_id and e.step_id = b.step_id
        join nofx.step n on n.id = e.needs_id and not (b.is_own and n.parent_id is not distinct from b.step_id)
       cross join lateral (values (n.id, false), (n.parent_id, true)) as next (step_id, is_own)
       where next.step_id is not null and not (p_until_snapshots and n.snapshot is not null)
    )
    select distinct n.id
      from begins b
      join nofx.step at on at.id = b.step_id
      join nofx.step_edge e on e.run_id = at.run_id and e.step_id = b.step_id
      join nofx.step n on n.id = e.needs_id and not (b.is_own and n.parent_id is not distinct from b.step_id)
     where not p_until_snapshots or n.snapshot is not null;
end
$$;

-- Finds the snapshots that a step begins with: those of the nearest steps before it that left one.
-- Takes: p_step.
-- Locks: nothing.
-- Returns: the steps, none of which comes before another one, by name; none when it begins with the checkout.
-- Raises: nothing.
create function nofx_private.heads_before(p_step nofx.step)
returns setof nofx.step
language plpgsql
stable
set search_path = ''
as $$
declare
  v_heads uuid[] := array(select b from nofx_private.steps_before(array[p_step.id], true) as b);
begin
  if cardinality(v_heads) > 1 and (select count(distinct s.snapshot) from nofx.step s where s.id = any (v_heads)) > 1 then
    -- What a head has seen is no head.
    v_heads := array(select unnest(v_heads) except select b from nofx_private.steps_before(v_heads, false) as b);
  end if;
  return query select s.* from nofx.step s where s.id = any (v_heads) order by s.name;
end
$$;

-- Returns what git sees of the workspace that a step begins with.
-- Takes: p_step.
-- Locks: nothing.
-- Returns: the tree; null when no step opened the workspace yet, or it is no repository that nothing has changed; empty when it is not known,
--   since branches meet here that left different ones.
-- Raises: nothing.
create function nofx_private.tree_before(p_step nofx.step)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_tree text;
  v_heads int;
  v_snapshots int;
begin
  select min(h.tree), count(*), count(distinct h.tree) + count(*) filter (where h.tree is null) into v_tree, v_heads, v_snapshots
    from nofx_private.heads_before(p_step) as h;
  return case
    when v_heads = 0 then (select r.pinned_tree from nofx.run r where r.id = p_step.run_id)
    when v_snapshots = 1 then v_tree
    else '' end;
end
$$;

-- Says what a step begins with, for the worker that opens its workspace.
-- Takes: p_step and p_token, the step and its lease.
-- Locks: the step's row.
-- Returns: {commit, tree: what the run's checkouts are pinned to, null before the first; heads: [{name, snapshot, tree, uses}], the snapshots
--   to begin with, `uses` being how many steps need that one; uses: how many steps begin with the checkout, of the first 100; is_needed: whether a later step begins with what this one leaves}; null when
--   the lease has expired.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.trees_before(p_step uuid, p_token uuid)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_step nofx.step := nofx_private.leased_step(p_step, p_token, 'workspace');
begin
  if v_step.id is null then
    return null;
  end if;
  return (
    select json_build_object(
        'commit', r.pinned_commit, 'tree', r.pinned_tree,
        'heads', coalesce((
          select json_agg(json_build_object('name', h.name, 'snapshot', h.snapshot, 'tree', h.tree, 'uses', (
                   select count(*) from nofx.step_edge e where e.run_id = h.run_id and e.needs_id = h.id)))
            from nofx_private.heads_before(v_step) as h), '[]'),
        -- Children of one step count as many: they are not worth being counted each time.
        'uses', case when v_step.parent_id is not null then 100 else (
          select count(*)
            from (select s.id from nofx.step s where s.run_id = r.id and s.parent_id is null order by s.name limit 100) as early
           where not exists (select from nofx.step_edge e where e.run_id = r.id and e.step_id = early.id)) end,
        'is_needed', exists (
          select from nofx.step_edge e where e.run_id = v_step.run_id and e.needs_id = coalesce(v_step.parent_id, v_step.id)))
      from nofx.run r where r.id = v_step.run_id);
end
$$;
grant execute on function nofx.trees_before(uuid, uuid) to service_role;

-- Pins the workspace of a run to what its first checkout found, so that all later ones are of the same commit.
-- Takes: p_step and p_token, the step that checked it out and its lease; p_commit, the commit of the workspace's ref; p_tree, its tree.
-- Locks: the step's row, then the run's.
-- Returns: the commit that the run is pinned to: another worker may have been first; null when the lease has expired.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.pin_workspace(p_step uuid, p_token uuid, p_commit text, p_tree text)
returns text
language plpgsql
security definer set search_path = ''
as $$
declare
  v_step nofx.step := nofx_private.leased_step(p_step, p_token, 'workspace');
begin
  update nofx.run r set pinned_commit = p_commit, pinned_tree = p_tree where r.id = v_step.run_id and r.pinned_commit is null;
  return (select r.pinned_commit from nofx.run r where r.id = v_step.run_id);
end
$$;
grant execute on function nofx.pin_workspace(uuid, uuid, text, text) to service_role;

-- Records the blobs of a snapshot, which are in Storage already, before its step is settled with it.
-- Takes: p_step and p_token, the step and its lease; p_blobs, all that the snapshot needs.
-- Locks: the step's row, so that the lease cannot expire meanwhile; the blobs that the run does not have yet, against their removal, in order.
-- Returns: true; false when the lease has expired (nothing is written then).
-- Raises: 403 forbidden when the caller is not the service role; 409 blob-deleting when the deletion of one has begun.
create function nofx.record_snapshot(p_step uuid, p_token uuid, p_blobs text[])
returns boolean
language plpgsql
security definer set search_path = ''
as $$
declare
  v_step nofx.step := nofx_private.leased_step(p_step, p_token, 'workspace');
  v_blob text;
begin
  if v_step.id is null then
    return false;
  end if;
  -- What the run has stays as long as the run.
  for v_blob in
    select distinct b.blob
      from unnest(p_blobs) as b (blob)
     where not exists (select from nofx_private.snapshot_blob s where s.run_id = v_step.run_id and s.blob = b.blob)
     order by b.blob
  loop
    if not nofx_private.keep_blob(v_blob) then
      perform nofx_private.refuse(409, 'blob-deleting', v_blob, 'Store the bytes at another path.');
    end if;
    insert into nofx_private.snapshot_blob (run_id, blob) values (v_step.run_id, v_blob) on conflict do nothing;
  end loop;
  return true;
end
$$;
grant execute on function nofx.record_snapshot(uuid, uuid, text[]) to service_role;
