-- Checks whether a gate waits for the caller: a computed column of nofx.gate.
-- Takes: p_gate.
-- Locks: nothing.
-- Returns: true when it is pending and not expired, and the caller has the role, has not decided yet, is not the run's author where the
--   author may not approve, and is no API key where keys may not. A key is its maker.
-- Raises: nothing.
create function nofx.waits_for_me(p_gate nofx.gate)
returns boolean
language plpgsql
stable
security invoker set search_path = ''
as $$
declare
  v_person text := nofx_private.person_behind(nofx_private.caller_name());
begin
  return p_gate.status = 'pending'
     and coalesce(p_gate.expires_at > now(), true)
     and coalesce(nofx_private.caller_role() >= p_gate.role, false)
     and (p_gate.author_may_approve
          or not exists (select from nofx.run r where r.id = p_gate.run_id and nofx_private.person_behind(r.created_by) = v_person))
     and (p_gate.keys_may_approve or nofx_private.caller_key() is null)
     and not exists (select from nofx.gate_decision d where d.gate_id = p_gate.id and d.by = v_person);
end
$$;
grant execute on function nofx.waits_for_me(nofx.gate) to nofx_api;
