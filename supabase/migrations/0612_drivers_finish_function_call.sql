-- Stores the answer of a call of the function that executes steps. An answer that comes late is stored, too: only an attempt with a valid
-- lease reads it (begin_function_call).
-- Takes: p_step, p_work_hash, as in begin_function_call; p_execution, as that returned it; p_answer, never null.
-- Locks: the call's row.
-- Returns: whether it was stored: false when another execution took the place of this one, or it has its answer.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.finish_function_call(p_step uuid, p_work_hash text, p_execution uuid, p_answer jsonb)
returns boolean
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('function call', 'Only the function that executes steps answers calls.');
  update nofx_private.function_call
     set answer = p_answer
   where step_id = p_step and work_hash = p_work_hash and execution = p_execution and answer is null;
  return found;
end
$$;
grant execute on function nofx.finish_function_call(uuid, text, uuid, jsonb) to service_role;
