-- Begins a call of the function that executes steps. Work is executed once for an attempt, however often its worker calls; and not again
-- for the attempts that follow because a worker crashed or shut down, if its answer is there or under way.
-- Takes: p_attempt, {tenant_id, run_id, step_id, attempt, token, tool}; p_nonce, new for each request; p_work_hash, of what is executed;
--   p_timeout_s, how long the function executes at most, 1 to 45.
-- Locks: the call's row.
-- Returns: {state: execute, execution, step: as claim_steps returns it}, {state: answered, answer} or {state: under_way}.
-- Raises: 403 forbidden when the caller is not the service role; 401 unauthorized when the request was received before; 409 lease-expired
--   when the attempt is not the running one, its lease is not valid or its run is being cancelled; 400 invalid-request.
create function nofx.begin_function_call(p_attempt jsonb, p_nonce uuid, p_work_hash text, p_timeout_s int)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_step uuid := (p_attempt ->> 'step_id')::uuid;
  v_attempt int := (p_attempt ->> 'attempt')::int;
  v_token uuid := (p_attempt ->> 'token')::uuid;
  v_call nofx_private.function_call;
  v_execution uuid := gen_random_uuid();
  -- The answer is stored after the function's time.
  v_ends_at timestamptz := now() + make_interval(secs => p_timeout_s + 10);
begin
  perform nofx_private.require_service('function call', 'Only the function that executes steps begins calls.');
  if p_nonce is null or p_work_hash is null or p_timeout_s is null or p_timeout_s not between 1 and 45 then
    perform nofx_private.refuse(400, 'invalid-request', 'function call', 'Send a nonce, a hash and a time of 1 to 45 seconds.');
  end if;
  insert into nofx_private.function_nonce (nonce) values (p_nonce) on conflict do nothing;
  if not found then
    perform nofx_private.refuse(401, 'unauthorized', p_nonce::text, 'The request was received before; sign a new one.');
  end if;
  if not exists (
    select from nofx.step s join nofx.run r on r.id = s.run_id
     where s.id = v_step and s.run_id = (p_attempt ->> 'run_id')::uuid and s.tenant_id = (p_attempt ->> 'tenant_id')::uuid
       and s.tool = p_attempt ->> 'tool' and s.attempt = v_attempt and s.status = 'running'
       and s.lease_token = v_token and s.lease_expires_at > now() and r.status <> 'cancelling'
  ) then
    perform nofx_private.refuse(409, 'lease-expired', coalesce(v_step::text, 'step'), 'No such attempt holds a valid lease: drop the call.');
  end if;

  insert into nofx_private.function_call (step_id, work_hash, execution, attempt, token, ends_at)
  values (v_step, p_work_hash, v_execution, v_attempt, v_token, v_ends_at)
  on conflict (step_id, work_hash) do nothing;
  if not found then
    select * into v_call from nofx_private.function_call where step_id = v_step and work_hash = p_work_hash for update;
    if v_call.token = v_token or v_call.attempt < v_attempt and not exists (
      -- An attempt that ended with a result, or failed, is not continued.
      select from generate_series(v_call.attempt, v_attempt - 1) as n
       where not exists (
         select from nofx.step_attempt a
          where a.step_id = v_step and a.run_id = (p_attempt ->> 'run_id')::uuid and a.attempt = n
            and a.outcome in ('lease_expired', 'interrupted')))
    then
      if v_call.answer is not null or v_call.ends_at > now() then
        update nofx_private.function_call set attempt = v_attempt, token = v_token where step_id = v_step and work_hash = p_work_hash;
        return case when v_call.answer is null then json_build_object('state', 'under_way')
                    else json_build_object('state', 'answered', 'answer', v_call.answer) end;
      end if;
    end if;
    update nofx_private.function_call
       set execution = v_execution, attempt = v_attempt, token = v_token, begun_at = now(), ends_at = v_ends_at, answer = null
     where step_id = v_step and work_hash = p_work_hash;
  end if;
  -- No breaker holds it: its worker claimed it.
  return json_build_object('state', 'execute', 'execution', v_execution, 'step', nofx_private.describe_steps(array[v_step], '{}') -> 0);
end
$$;
grant execute on function nofx.begin_function_call(jsonb, uuid, text, int) to service_role;
