-- Claims ready steps for a worker. Workers claim with settle_steps, which does the same in the call that settles; this one is for
-- `nofx bench engine` and tests, which claim without a result.
-- Takes: p_worker, its name; p_capacity, how many at most (0 to 1000); p_tools, tools it can execute, null for all;
--   p_step_ids, the steps that a wake-up named, null for any; p_lease, the length of the leases.
-- Locks: the queue rows and steps it claims, skipping those of other claims; their runs when they start.
-- Returns: a JSON array of steps as describe_steps returns them; empty for none.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.claim_steps(
  p_worker text,
  p_capacity int,
  p_tools text[] default null,
  p_step_ids uuid[] default null,
  p_lease interval default '30 seconds'
)
returns json
language plpgsql
security definer set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  v_capacity int := least(p_capacity, 1000);
  v_tenants uuid[];
  v_taken uuid[];
  v_count int;
begin
  perform nofx_private.require_service('claim', 'Only workers claim steps.');
  if p_capacity <= 0 then
    return '[]';
  end if;
  if p_step_ids is not null then
    v_taken := nofx_private.dequeue_named_steps(p_step_ids, v_capacity, p_tools);
  else
    v_tenants := nofx_private.tenants_with_ready_steps(v_capacity);
    if v_tenants is not null then
      v_taken := nofx_private.dequeue_steps(v_tenants, v_capacity, p_tools);
    end if;
  end if;
  if v_taken is null then
    return '[]';
  end if;
  v_count := nofx_private.emit(nofx_private.start_steps(v_taken, p_worker, p_lease));
  return nofx_private.dispatch_steps(v_taken, p_lease);
end
$$;
grant execute on function nofx.claim_steps(text, int, text[], uuid[], interval) to service_role;
