-- Blobs without an artifact or a snapshot, to be deleted from Storage. A worker takes some with a lease; from then on nothing is stored at these paths, since
-- its deletion may arrive at any time, until a day after it was confirmed: the same content is stored at another path meanwhile.
create table nofx_private.blob_to_remove (
  blob text primary key,
  since timestamptz not null default now(),
  -- Of the worker that deletes it, or deleted it; null while none has begun.
  lease uuid,
  lease_expires_at timestamptz,
  removed_at timestamptz,
  constraint leased_to_be_removed check (lease is not null or removed_at is null),
  constraint leased_until_an_instant check ((lease is null) = (lease_expires_at is null))
);
create index blob_to_remove_oldest on nofx_private.blob_to_remove (since) where removed_at is null;
create index blob_removed on nofx_private.blob_to_remove (removed_at) where removed_at is not null;

-- Keeps a blob for an artifact or a snapshot that is recorded in this transaction: if it was to be deleted and nobody has begun, it no longer is.
-- Takes: p_blob.
-- Locks: the blob, against its removal, until the transaction ends.
-- Returns: false when its deletion has begun, so that its bytes must be stored at another path.
-- Raises: nothing.
create function nofx_private.keep_blob(p_blob text)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock_shared(nofx_private.blob_lock(p_blob));
  delete from nofx_private.blob_to_remove where blob = p_blob and lease is null;
  return not exists (select from nofx_private.blob_to_remove where blob = p_blob);
end
$$;

-- The advisory lock of a blob: artifacts that name it share it, whoever begins to delete it has it alone.
-- Takes: p_blob.
-- Locks: nothing.
-- Returns: the lock's key.
-- Raises: nothing.
create function nofx_private.blob_lock(p_blob text)
returns bigint
language sql
immutable
set search_path = ''
as $$
  select hashtextextended(p_blob, 314)
$$;

-- Leases blobs to delete from Storage: those of deleted artifacts and runs that no artifact and no snapshot has and that no other lease holds.
-- Takes: p_limit, how many at most, 1 to 1000; p_lease, how long the caller has to delete them.
-- Locks: the rows of the blobs and the blobs, skipping those that others have locked.
-- Returns: {lease, blobs}: the blobs that have waited longest. The caller starts no deletion after the lease has expired.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.blobs_to_delete(p_limit int default 500, p_lease interval default '10 minutes')
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_lease uuid := nofx_private.uuid_v7();
  v_blobs text[];
  v_kept int;
begin
  perform nofx_private.require_service('artifact', 'Only workers delete stored bytes.');
  -- No deletion is on its way any more.
  delete from nofx_private.blob_to_remove where removed_at < now() - interval '1 day';
  loop
    v_blobs := array(
      select b.blob
        from nofx_private.blob_to_remove b
       where b.removed_at is null
         and coalesce(b.lease_expires_at <= now(), true)
       order by b.since, b.blob
       limit least(greatest(p_limit, 1), 1000)
         for update skip locked);
    v_blobs := array(select b from unnest(v_blobs) as b where pg_try_advisory_xact_lock(nofx_private.blob_lock(b)));
    -- Another artifact, or a snapshot, has the same bytes. Looked for under the locks: whoever recorded one had them before, or finds the lease.
    delete from nofx_private.blob_to_remove r
     where r.blob = any (v_blobs)
       and (exists (select from nofx.artifact a where a.blob = r.blob)
         or exists (select from nofx_private.snapshot_blob s where s.blob = r.blob));
    get diagnostics v_kept = row_count;
    with leased as (
      update nofx_private.blob_to_remove
         set lease = v_lease, lease_expires_at = now() + p_lease
       where blob = any (v_blobs)
      returning blob, since
    )
    select array_agg(blob order by since, blob) into v_blobs from leased;
    -- A caller takes an empty list for the end.
    exit when v_blobs is not null or v_kept = 0;
  end loop;
  return json_build_object('lease', v_lease, 'blobs', coalesce(v_blobs, '{}'));
end
$$;
grant execute on function nofx.blobs_to_delete(int, interval) to service_role;

-- Confirms that blobs were deleted from Storage. Their paths stay closed for a day, for deletions that are still on their way.
-- Takes: p_lease, under which they were deleted; p_blobs.
-- Locks: the rows of the blobs.
-- Returns: how many were confirmed: those that another worker has leased since are not.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.confirm_blobs_deleted(p_lease uuid, p_blobs text[])
returns int
language plpgsql
security definer set search_path = ''
as $$
declare
  v_count int;
begin
  perform nofx_private.require_service('artifact', 'Only workers delete stored bytes.');
  update nofx_private.blob_to_remove
     set removed_at = now()
   where blob = any (p_blobs)
     and lease = p_lease
     and removed_at is null;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
grant execute on function nofx.confirm_blobs_deleted(uuid, text[]) to service_role;
