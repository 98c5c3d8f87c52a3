-- Refuses to report a check: what it would say is not proven of that commit of that repository. It is not reported any more, unless the
-- forge runs the checks of the commit again.
-- Takes: p_step; p_reason, for people.
-- Locks: the check.
-- Returns: nothing. A check that is refused already stays as it is.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.refuse_check(p_step uuid, p_reason text)
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_check nofx.check_run;
begin
  perform nofx_private.require_service('check', 'Only workers report checks.');
  update nofx.check_run set refused = left(coalesce(p_reason, ''), 1000), locked_until = null
   where step_id = p_step and refused is null
  returning * into v_check;
  if found then
    insert into nofx.event (tenant_id, run_id, step_id, type, data)
    values (v_check.tenant_id, v_check.run_id, p_step, 'check.refused', jsonb_build_object(
      'repository', v_check.repository, 'head_sha', v_check.head_sha, 'reason', v_check.refused));
  end if;
end
$$;
grant execute on function nofx.refuse_check(uuid, text) to service_role;
