-- Records that a step uses an artifact of its own run or of another run of its tenant.
-- Takes: p_step and p_token, the step and its lease; p_artifact.
-- Locks: the step's row.
-- Returns: {id, name, blob, hash, size_bytes}, or null when the lease has expired (nothing is written then).
-- Raises: 403 forbidden when the caller is not the service role; 404 artifact-not-found.
create function nofx.use_artifact(p_step uuid, p_token uuid, p_artifact uuid)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_step nofx.step := nofx_private.leased_step(p_step, p_token, 'artifact');
  v_artifact nofx.artifact;
begin
  if v_step.id is null then
    return null;
  end if;
  select * into v_artifact from nofx.artifact where id = p_artifact and tenant_id = v_step.tenant_id;
  if not found then
    perform nofx_private.refuse(404, 'artifact-not-found', p_artifact::text, 'Pass the id of an artifact of the same tenant.');
  end if;
  insert into nofx.artifact_use (tenant_id, run_id, step_id, artifact_id)
  values (v_step.tenant_id, v_step.run_id, p_step, p_artifact)
  on conflict do nothing;
  return json_build_object('id', v_artifact.id, 'name', v_artifact.name, 'blob', v_artifact.blob, 'hash', v_artifact.hash,
    'size_bytes', v_artifact.size_bytes);
end
$$;
grant execute on function nofx.use_artifact(uuid, uuid, uuid) to service_role;
