-- Lists a run with all runs that used its artifacts, those that used theirs, and so on.
-- Takes: p_run.
-- Locks: nothing.
-- Returns: the runs' ids, p_run among them.
-- Raises: nothing.
create function nofx_private.runs_downstream(p_run uuid)
returns uuid[]
language plpgsql
stable
set search_path = ''
as $$
begin
  return array(
    with recursive downstream (run_id) as (
      select p_run
      union
      select u.run_id
        from downstream d
        join nofx.artifact a on a.run_id = d.run_id
        join nofx.artifact_use u on u.artifact_id = a.id
    )
    select d.run_id from downstream d);
end
$$;

-- Checks whether a run exists that used artifacts of this one: its lineage would lose its beginning.
-- Takes: p_run; p_except, runs that do not count.
-- Locks: nothing.
-- Returns: true when there is one beside the run itself.
-- Raises: nothing.
create function nofx_private.run_is_used(p_run uuid, p_except uuid[] default '{}')
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return exists (
    select from nofx.artifact a
      join nofx.artifact_use u on u.artifact_id = a.id
     where a.run_id = p_run and u.run_id <> p_run and u.run_id <> all (p_except));
end
$$;

-- Chooses runs of a tenant that are past their retention and not under a legal hold: those first that used the artifacts of others, so that
-- no run outlives what its lineage names. Runs that used each other's artifacts in a circle are chosen together.
-- Takes: p_tenant; p_before, the beginning of the retention; p_limit, how many at most; a circle may be longer. Fewer when they have more than
--   2,000 steps, so that a batch stays short, but one at least.
-- Locks: nothing.
-- Returns: the runs' ids.
-- Raises: nothing.
create function nofx_private.runs_past_retention(p_tenant uuid, p_before timestamptz, p_limit int)
returns uuid[]
language plpgsql
stable
set search_path = ''
as $$
declare
  v_due uuid[];
begin
  v_due := array(
    select first.id
      from (
        select due.id, sum(due.steps_total) over (order by due.created_at, due.id) - due.steps_total as steps_before
          from (
            select r.id, r.created_at, r.steps_total from nofx.run r
             where r.tenant_id = p_tenant
               -- A run ends after it was created: the index finds the old ones.
               and r.created_at < p_before and r.ended_at < p_before
               and not exists (select from nofx.legal_hold h where h.run_id = r.id)
               and not nofx_private.run_is_used(r.id)
             order by r.created_at, r.id limit p_limit
          ) as due
      ) as first
     where first.steps_before < 2000);
  if cardinality(v_due) > 0 then
    return v_due;
  end if;
  -- Every run that is left was used by another. One that uses it is open, young or held, or is kept itself: then it is kept, too.
  v_due := array(
    with recursive old (id, created_at) as materialized (
      select r.id, r.created_at from nofx.run r
       where r.tenant_id = p_tenant and r.created_at < p_before and r.ended_at < p_before
         and not exists (select from nofx.legal_hold h where h.run_id = r.id)
    ), kept (id) as (
      select a.run_id
        from old o
        join nofx.artifact a on a.run_id = o.id
        join nofx.artifact_use u on u.artifact_id = a.id
       where not exists (select from old d where d.id = u.run_id)
      union
      select source.run_id
        from kept k
       cross join lateral (
         select a.run_id from nofx.artifact_use u join nofx.artifact a on a.id = u.artifact_id
          where u.run_id = k.id
         -- Not merged into a join of whole tables, which a long chain would repeat for each of its runs.
         offset 0
       ) as source
    )
    select o.id from old o
     where not exists (select from kept k where k.id = o.id)
     -- The youngest has the fewest that used its artifacts.
     order by o.created_at desc, o.id desc limit 1);
  return case when cardinality(v_due) = 0 then v_due else nofx_private.runs_downstream(v_due[1]) end;
end
$$;

-- Deletes runs whose retention has passed, with everything that belongs to them: steps, attempts, gates, dead letters, artifacts,
-- attestations, model calls. Their events have a retention of their own, and the audit log is kept.
-- Takes: p_limit, how many at most, 1 to 1000.
-- Locks: the advisory lock of begin_prune; the runs (lock_runs); their artifacts; all that it deletes. Claims take none of these.
-- Returns: how many were deleted; 0 while another call prunes.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.prune_runs(p_limit int default 100)
returns int
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant record;
  v_due uuid[];
  v_total int := 0;
  v_limit int := least(greatest(p_limit, 1), 1000);
begin
  if not nofx_private.begin_prune() then
    return 0;
  end if;
  for v_tenant in select * from nofx_private.pruned_tenants('runs') loop
    v_due := nofx_private.runs_past_retention(v_tenant.id, v_tenant.before, v_limit - v_total);
    continue when cardinality(v_due) = 0;
    perform nofx_private.lock_runs(v_due);
    -- A step that uses an artifact just now has locked it by its foreign key.
    perform 1 from nofx.artifact where run_id = any (v_due) order by id for update;
    -- Checked again under the locks: one may have been retried, and an artifact used.
    v_due := array(
      select r.id from nofx.run r
       where r.id = any (v_due) and r.ended_at < v_tenant.before and not nofx_private.run_is_used(r.id, v_due));
    perform nofx_private.delete_artifacts(array(select a.id from nofx.artifact a where a.run_id = any (v_due)));
    delete from nofx.run where id = any (v_due);
    perform nofx_private.record_pruned(v_tenant.id, 'runs', cardinality(v_due), v_tenant.before, v_due);
    v_total := v_total + cardinality(v_due);
    exit when v_total >= v_limit;
  end loop;
  return v_total;
end
$$;
grant execute on function nofx.prune_runs(int) to service_role;
