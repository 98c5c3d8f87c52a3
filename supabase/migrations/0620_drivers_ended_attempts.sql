-- Returns which attempts no worker runs: a machine of one of them was left behind and may be killed.
-- Takes: p_steps and p_attempts, the steps and the numbers of their attempts, pairwise.
-- Locks: nothing. A step whose lease has expired may be settled at any time, so callers read the machines before they call this: an attempt
--   that is not running then will never run again.
-- Returns: the positions of these attempts, from 1. Those of steps that do not exist are among them.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.ended_attempts(p_steps uuid[], p_attempts int[])
returns setof int
language plpgsql
stable
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('machine', 'Only workers end machines.');
  return query
  select asked.position::int
    from unnest(p_steps, p_attempts) with ordinality as asked (step_id, attempt, position)
    left join nofx.step s on s.id = asked.step_id and s.attempt = asked.attempt and s.status = 'running'
   where s.id is null
   order by asked.position;
end
$$;
grant execute on function nofx.ended_attempts(uuid[], int[]) to service_role;
