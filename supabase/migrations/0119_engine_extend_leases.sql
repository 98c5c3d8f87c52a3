-- Extends the leases that a worker still holds.
-- Takes: p_steps and p_tokens, the steps and their tokens, pairwise; p_lease, the new length from now.
-- Locks: the rows of the steps. A row that another transaction has locked (recording an artifact, a settle) is skipped until the
--   next heartbeat.
-- Returns: the tokens that are still valid, and whether each lease is longer now; a skipped one ends when it did before. A missing token means
--   that the lease has expired or the run is being cancelled: the worker must stop that step.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.extend_leases(p_steps uuid[], p_tokens uuid[], p_lease interval default '30 seconds')
returns table (token uuid, is_extended boolean)
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('lease', 'Only workers hold leases.');
  return query
  with held as (
    select s.id, s.lease_token
      from unnest(p_steps, p_tokens) as claim (step_id, lease_token)
      join nofx.step s on s.id = claim.step_id and s.lease_token = claim.lease_token
      join nofx.run r on r.id = s.run_id and r.status <> 'cancelling'
     where s.status = 'running'
  ), free as (
    select s.id
      from nofx.step s join held on held.id = s.id
     where s.lease_token = held.lease_token and s.status = 'running'
       for no key update of s skip locked
  ), extended as (
    update nofx.step set lease_expires_at = now() + p_lease from free where step.id = free.id returning step.id
  )
  select held.lease_token, extended.id is not null from held left join extended on extended.id = held.id;
end
$$;
grant execute on function nofx.extend_leases(uuid[], uuid[], interval) to service_role;
