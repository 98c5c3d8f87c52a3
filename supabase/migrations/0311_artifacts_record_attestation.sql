-- Records an attestation about a step.
-- Takes: p_step and p_token, the step and its lease; p_attestation, {predicate_type, subjects, key_id, envelope}.
-- Locks: the step's row.
-- Returns: the attestation's id, or null when the lease has expired (nothing is written then).
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.record_attestation(p_step uuid, p_token uuid, p_attestation jsonb)
returns uuid
language plpgsql
security definer set search_path = ''
as $$
declare
  v_step nofx.step := nofx_private.leased_step(p_step, p_token, 'attestation');
begin
  if v_step.id is null then
    return null;
  end if;
  return nofx_private.insert_attestation(v_step, null, p_attestation);
end
$$;
grant execute on function nofx.record_attestation(uuid, uuid, jsonb) to service_role;
