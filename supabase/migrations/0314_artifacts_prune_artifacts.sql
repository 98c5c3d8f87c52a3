-- Blobs without an artifact, to be deleted from Storage. No new artifact may use them until then.
create table nofx_private.blob_to_remove (
  blob text primary key,
  since timestamptz not null default now()
);

-- Deletes artifacts with their attestations, and queues the blobs that no other artifact has.
-- Takes: p_artifacts.
-- Locks: the artifacts.
-- Returns: how many were deleted.
-- Raises: nothing.
create function nofx_private.delete_artifacts(p_artifacts uuid[])
returns int
language plpgsql
set search_path = ''
as $$
declare
  v_blobs text[];
begin
  with gone as (
    delete from nofx.artifact where id = any (p_artifacts) returning blob
  )
  select array_agg(blob) into v_blobs from gone;
  insert into nofx_private.blob_to_remove (blob) select distinct blob from unnest(v_blobs) as blob on conflict (blob) do nothing;
  return coalesce(cardinality(v_blobs), 0);
end
$$;

-- Checks whether an artifact is past its retention: the last run that made or used it ended before, and none of them is under a legal hold.
-- Takes: p_artifact; p_before, the beginning of the retention.
-- Locks: nothing.
-- Returns: true when it may be deleted.
-- Raises: nothing.
create function nofx_private.artifact_is_due(p_artifact nofx.artifact, p_before timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return not exists (
    select from (select p_artifact.run_id union all select u.run_id from nofx.artifact_use u where u.artifact_id = p_artifact.id) as needed (run_id)
      join nofx.run r on r.id = needed.run_id
     where coalesce(r.ended_at, now()) >= p_before
        or exists (select from nofx.legal_hold h where h.run_id = r.id));
end
$$;

-- Deletes artifacts whose retention has passed, with their attestations.
-- Takes: p_limit, how many at most, 1 to 10000.
-- Locks: the advisory lock of begin_prune; the artifacts, skipping those that others have locked.
-- Returns: how many were deleted; 0 while another call prunes.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.prune_artifacts(p_limit int default 1000)
returns int
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant record;
  v_due uuid[];
  v_count int;
  v_total int := 0;
  v_limit int := least(greatest(p_limit, 1), 10000);
begin
  if not nofx_private.begin_prune() then
    return 0;
  end if;
  for v_tenant in select * from nofx_private.pruned_tenants('artifacts') loop
    v_due := array(
      select a.id
        from nofx.artifact a
       where a.tenant_id = v_tenant.id
         -- A run ends after its artifacts were made: the index finds the old ones.
         and a.created_at < v_tenant.before
         and nofx_private.artifact_is_due(a, v_tenant.before)
       order by a.created_at, a.id
       limit v_limit - v_total
         for update of a skip locked);
    -- Checked again under the lock: a step that began to use one meanwhile had locked it by its foreign key.
    v_due := array(select a.id from nofx.artifact a where a.id = any (v_due) and nofx_private.artifact_is_due(a, v_tenant.before));
    v_count := nofx_private.delete_artifacts(v_due);
    perform nofx_private.record_pruned(v_tenant.id, 'artifacts', v_count, v_tenant.before, v_due);
    v_total := v_total + v_count;
    exit when v_total >= v_limit;
  end loop;
  return v_total;
end
$$;
grant execute on function nofx.prune_artifacts(int) to service_role;

-- Lists blobs to delete from Storage: those of deleted artifacts and runs, until confirm_blobs_deleted names them.
-- Takes: p_limit, how many at most.
-- Locks: the rows of blobs that another artifact has.
-- Returns: the blobs, those that wait longest first.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.blobs_to_delete(p_limit int default 1000)
returns text[]
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('artifact', 'Only workers delete stored bytes.');
  -- Another artifact, or a snapshot, has the same bytes.
  delete from nofx_private.blob_to_remove b
   where exists (select from nofx.artifact a where a.blob = b.blob) or exists (select from nofx_private.snapshot_blob s where s.blob = b.blob);
  return array(select blob from nofx_private.blob_to_remove order by since limit p_limit);
end
$$;
grant execute on function nofx.blobs_to_delete(int) to service_role;

-- Confirms that blobs were deleted from Storage.
-- Takes: p_blobs.
-- Locks: nothing.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.confirm_blobs_deleted(p_blobs text[])
returns void
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('artifact', 'Only workers delete stored bytes.');
  delete from nofx_private.blob_to_remove where blob = any (p_blobs);
end
$$;
grant execute on function nofx.confirm_blobs_deleted(text[]) to service_role;
