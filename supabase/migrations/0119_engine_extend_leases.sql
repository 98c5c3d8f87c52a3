-- Extends the leases that a worker still holds.
-- Takes: p_steps and p_tokens, the steps and the tokens it believes it holds, pairwise; p_lease, the new length from now.
-- Locks: the rows of the steps, skipping those that are being settled at this moment.
-- Returns: the tokens that are still good. A missing one means that the lease was lost or the run is being cancelled: the
--   worker must stop that step (and may still settle it as cancelled).
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.extend_leases(p_steps uuid[], p_tokens uuid[], p_lease interval default '30 seconds')
returns setof uuid
language plpgsql
security definer set search_path = ''
as $$
begin
  if not nofx_private.caller_is_service() then
    perform nofx_private.refuse(403, 'forbidden', 'lease', 'Only workers hold leases.');
  end if;
  return query
  with held as (
    select s.id
      from unnest(p_steps, p_tokens) as claim (step_id, token)
      join nofx.step s on s.id = claim.step_id and s.lease_token = claim.token
      join nofx.run r on r.id = s.run_id and r.status <> 'cancelling'
     where s.status = 'running'
       for update of s skip locked
  )
  update nofx.step
     set lease_expires_at = now() + p_lease
    from held
   where step.id = held.id
  returning step.lease_token;
end
$$;
grant execute on function nofx.extend_leases(uuid[], uuid[], interval) to service_role;
