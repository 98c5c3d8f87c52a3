-- Returns a step whose lease the worker holds.
-- Takes: p_step and p_token, the step and its lease; p_subject, the subject of a refusal.
-- Locks: the step's row, so that the lease cannot expire meanwhile.
-- Returns: the step; null when the lease has expired.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx_private.leased_step(p_step uuid, p_token uuid, p_subject text)
returns nofx.step
language plpgsql
set search_path = ''
as $$
declare
  v_step nofx.step;
begin
  perform nofx_private.require_service(p_subject, 'Only the worker that runs the step can do this.');
  select * into v_step from nofx.step where id = p_step and lease_token = p_token for no key update;
  return v_step;
end
$$;

-- Inserts an attestation.
-- Takes: p_step, the step that it describes; p_artifact, the artifact that it belongs to, or null; p_attestation,
--   {predicate_type, subjects, key_id, envelope}.
-- Locks: nothing.
-- Returns: its id.
-- Raises: nothing.
create function nofx_private.insert_attestation(p_step nofx.step, p_artifact uuid, p_attestation jsonb)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_id uuid := nofx_private.uuid_v7();
begin
  insert into nofx.attestation (id, tenant_id, run_id, step_id, artifact_id, predicate_type, subjects, key_id, envelope)
  values (v_id, p_step.tenant_id, p_step.run_id, p_step.id, p_artifact, p_attestation ->> 'predicate_type',
    array(select jsonb_array_elements_text(p_attestation -> 'subjects')), p_attestation ->> 'key_id', p_attestation -> 'envelope');
  return v_id;
end
$$;

-- Records an artifact whose bytes are in Storage already, with its attestations.
-- Takes: p_step and p_token, the step and its lease; p_artifact, {name, type, uri, blob, size_bytes,
--   hash, attestations: [{predicate_type, subjects, key_id, envelope}]}.
-- Locks: the step's row, so that the lease cannot expire meanwhile; the blob, against its removal.
-- Returns: the artifact's id, or null when the lease has expired (nothing is written then). It replaces an artifact with the same URI.
-- Raises: 403 forbidden when the caller is not the service role; 409 blob-deleting when its bytes are being deleted: store them again, at
--   another path.
create function nofx.record_artifact(p_step uuid, p_token uuid, p_artifact jsonb)
returns uuid
language plpgsql
security definer set search_path = ''
as $$
declare
  v_step nofx.step := nofx_private.leased_step(p_step, p_token, 'artifact');
  v_id uuid := nofx_private.uuid_v7();
begin
  if v_step.id is null then
    return null;
  end if;
  if not nofx_private.keep_blob(p_artifact ->> 'blob') then
    perform nofx_private.refuse(409, 'blob-deleting', p_artifact ->> 'hash', 'Store the bytes again, at another path.');
  end if;
  -- The bytes of what it replaces are deleted, unless another artifact has them.
  perform nofx_private.delete_artifacts(array(
    select a.id from nofx.artifact a where a.tenant_id = v_step.tenant_id and a.uri = p_artifact ->> 'uri'), p_artifact ->> 'blob');
  insert into nofx.artifact (id, tenant_id, run_id, step_id, name, type, uri, blob, size_bytes, hash, attempt)
  values (v_id, v_step.tenant_id, v_step.run_id, p_step, p_artifact ->> 'name', p_artifact ->> 'type', p_artifact ->> 'uri',
    p_artifact ->> 'blob', (p_artifact ->> 'size_bytes')::bigint, p_artifact ->> 'hash', v_step.attempt);
  perform nofx_private.insert_attestation(v_step, v_id, attestation)
     from jsonb_array_elements(coalesce(p_artifact -> 'attestations', '[]')) as attestation;
  insert into nofx.event (tenant_id, run_id, step_id, type, data)
  values (v_step.tenant_id, v_step.run_id, p_step, 'artifact.created', jsonb_build_object(
    'artifact_id', v_id, 'name', p_artifact -> 'name', 'type', p_artifact -> 'type', 'uri', p_artifact -> 'uri',
    'size_bytes', p_artifact -> 'size_bytes', 'hash', p_artifact -> 'hash'));
  return v_id;
end
$$;
grant execute on function nofx.record_artifact(uuid, uuid, jsonb) to service_role;

-- The bucket, if Storage has its tables in this database.
do $$
begin
  if to_regclass('storage.buckets') is not null then
    insert into storage.buckets (id, name, public) values ('artifacts', 'artifacts', false) on conflict (id) do nothing;
  end if;
end
$$;
