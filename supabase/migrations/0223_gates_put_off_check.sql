-- Puts off a check whose report failed: after 20 seconds, then twice as long each time, an hour at most. The twelfth failure in a row is the last:
-- the check is refused.
-- Takes: p_step; p_reason, why the forge has no report, for people.
-- Locks: the check.
-- Returns: nothing. A check that is refused already stays as it is.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.put_off_check(p_step uuid, p_reason text)
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_attempts int;
begin
  perform nofx_private.require_service('check', 'Only workers report checks.');
  update nofx.check_run c
     set attempts = c.attempts + 1, locked_until = now() + least(interval '1 hour', interval '20 seconds' * power(2, least(c.attempts, 10)))
   where c.step_id = p_step and c.refused is null
  returning c.attempts into v_attempts;
  if v_attempts >= 12 then
    perform nofx.refuse_check(p_step, format('it could not be reported, %s times: %s', v_attempts, coalesce(p_reason, '')));
  end if;
end
$$;
grant execute on function nofx.put_off_check(uuid, text) to service_role;
