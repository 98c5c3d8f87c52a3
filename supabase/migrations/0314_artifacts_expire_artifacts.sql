-- Blobs without an artifact, to be deleted from Storage. No new artifact may use them until then.
create table nofx_private.blob_to_remove (
  blob text primary key,
  since timestamptz not null default now()
);

-- Deletes artifacts, with their attestations, whose retention has passed since the last run that made or used them ended, and lists
-- blobs to delete.
-- Takes: p_limit, how many at most.
-- Locks: the artifacts.
-- Returns: blobs to delete from Storage, including those of earlier calls that are not confirmed.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.expire_artifacts(p_limit int default 1000)
returns text[]
language plpgsql
security definer set search_path = ''
as $$
declare
  v_due uuid[];
begin
  perform nofx_private.require_service('artifact', 'Only workers expire artifacts.');
  v_due := array(
    select a.id
      from nofx.artifact a
      join nofx.run r on r.id = a.run_id
      join nofx.retention t on t.tenant_id = a.tenant_id
     where r.ended_at < now() - make_interval(days => t.artifact_days)
       -- Another run uses it that is unfinished or ended within the retention.
       and not exists (
         select from nofx.artifact_use u join nofx.run other on other.id = u.run_id
          where u.artifact_id = a.id and coalesce(other.ended_at, now()) >= now() - make_interval(days => t.artifact_days))
     order by a.id limit p_limit
     for update of a skip locked);
  -- Checked again under the lock: a step that began to use one meanwhile had locked it by its foreign key.
  with gone as (
    delete from nofx.artifact a
     using nofx.retention t
     where a.id = any (v_due)
       and t.tenant_id = a.tenant_id
       and not exists (
         select from nofx.artifact_use u join nofx.run other on other.id = u.run_id
          where u.artifact_id = a.id and coalesce(other.ended_at, now()) >= now() - make_interval(days => t.artifact_days))
    returning a.blob
  )
  insert into nofx_private.blob_to_remove (blob) select distinct blob from gone on conflict (blob) do nothing;
  -- Another artifact has the same bytes.
  delete from nofx_private.blob_to_remove b where exists (select from nofx.artifact a where a.blob = b.blob);
  return array(select blob from nofx_private.blob_to_remove order by since limit p_limit);
end
$$;
grant execute on function nofx.expire_artifacts(int) to service_role;

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
