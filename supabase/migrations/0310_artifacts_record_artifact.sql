-- Records an artifact whose bytes are in Storage already.
-- Takes: p_step and p_token, the step and the lease under which it was made; p_name, p_path, p_media_type, p_size_bytes, p_hash.
-- Locks: the step's row, so that the lease cannot be lost meanwhile.
-- Returns: the artifact's id, or null when the lease was lost (nothing is written then). The same path again replaces the record.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.record_artifact(
  p_step uuid, p_token uuid, p_name text, p_path text, p_media_type text, p_size_bytes bigint, p_hash text
)
returns uuid
language plpgsql
security definer set search_path = ''
as $$
declare
  v_step nofx.step;
  v_id uuid;
begin
  if not nofx_private.caller_is_service() then
    perform nofx_private.refuse(403, 'forbidden', 'artifact', 'Only workers record artifacts.');
  end if;
  select * into v_step from nofx.step where id = p_step and lease_token = p_token for no key update;
  if not found then
    return null;
  end if;
  insert into nofx.artifact (id, tenant_id, run_id, step_id, name, path, media_type, size_bytes, hash)
  values (nofx_private.uuid_v7(), v_step.tenant_id, v_step.run_id, p_step, p_name, p_path, p_media_type, p_size_bytes, p_hash)
  on conflict (tenant_id, path) do update
    set media_type = excluded.media_type, size_bytes = excluded.size_bytes, hash = excluded.hash, created_at = now()
  returning id into v_id;
  insert into nofx.event (tenant_id, run_id, step_id, type, data)
  values (v_step.tenant_id, v_step.run_id, p_step, 'artifact.created', jsonb_build_object(
    'artifact_id', v_id, 'name', p_name, 'media_type', p_media_type, 'size_bytes', p_size_bytes, 'hash', p_hash));
  return v_id;
end
$$;
grant execute on function nofx.record_artifact(uuid, uuid, text, text, text, bigint, text) to service_role;

-- The bucket, where Storage keeps its tables in this database.
do $$
begin
  if to_regclass('storage.buckets') is not null then
    insert into storage.buckets (id, name, public) values ('artifacts', 'artifacts', false) on conflict (id) do nothing;
  end if;
end
$$;
