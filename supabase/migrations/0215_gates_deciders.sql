-- Says who could decide a gate, by the requirements that its policy gave it.
-- Takes: p_gate, a pending gate.
-- Locks: nothing.
-- Returns: {gate_id, gate_type, role: the minimum role, approvals, approvals_required, author_may_approve, people}: people are the addresses
--   of at most 20 who had the role at their last sign-in, have not approved or waived it, and are not the run's author where the author may not approve.
-- Raises: nothing.
create function nofx_private.deciders(p_gate nofx.gate)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'gate_id', p_gate.id, 'gate_type', p_gate.gate_type, 'role', p_gate.role,
    'approvals', (select count(distinct d.by) from nofx.gate_decision d where d.gate_id = p_gate.id and d.decision in ('approve', 'waive')),
    'approvals_required', p_gate.approvals_required, 'author_may_approve', p_gate.author_may_approve,
    'people', array(
      select p.email
        from nofx.person p
       where p.tenant_id = p_gate.tenant_id
         and p.role >= p_gate.role
         and (p_gate.author_may_approve
              or not exists (select from nofx.run r where r.id = p_gate.run_id and nofx_private.person_behind(r.created_by) = p.id))
         and not exists (select from nofx.gate_decision d where d.gate_id = p_gate.id and d.by = p.id)
       order by p.email
       limit 20));
end
$$;
