-- Sums up the spending of a tenant or run on model calls, including reservations of open calls and, of a run, calls past their retention.
-- Takes: p_tenant; p_run, null for all of the tenant's; p_since, null for no bound.
-- Locks: nothing.
-- Returns: {usd, tokens}.
-- Raises: nothing.
create function nofx_private.model_spending(p_tenant uuid, p_run uuid, p_since timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return (select jsonb_build_object(
           -- A crashed worker leaves a call open: its reservation counts for an hour.
           'usd', coalesce(sum(case when status <> 'reserved' then cost_usd when requested_at > now() - interval '1 hour' then reserved_usd end), 0)
                  + coalesce((select usd from nofx_private.pruned_spending where run_id = p_run), 0),
           'tokens', coalesce(sum(case when status <> 'reserved' then input_tokens + output_tokens
                                       when requested_at > now() - interval '1 hour' then reserved_tokens end), 0)
                  + coalesce((select tokens from nofx_private.pruned_spending where run_id = p_run), 0))
    from nofx.model_call
   where tenant_id = p_tenant and (p_run is null or run_id = p_run) and (p_since is null or requested_at >= p_since));
end
$$;

-- Begins a model call: replays the response that the run has already, or reserves the maximum cost.
-- Takes: p_step and p_token, the step and its lease; p_call, {hash, task, usd, tokens}: the maximum cost, usd null for an unknown price.
-- Locks: an advisory lock of the tenant, so that two calls cannot reserve the same budget.
-- Returns: null when the lease has expired; {replayed: {response, provider, model}}; {over_budget: which limit}; or {reserved: the call's id}.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.begin_model_call(p_step uuid, p_token uuid, p_call jsonb)
returns json
language plpgsql
security definer set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  v_step nofx.step;
  v_known nofx.model_call;
  v_budget jsonb;
  v_run jsonb;
  v_spent jsonb;
  v_id uuid := nofx_private.uuid_v7();
  v_usd numeric := (p_call ->> 'usd')::numeric;
  v_tokens bigint := (p_call ->> 'tokens')::bigint;
begin
  perform nofx_private.require_service('model', 'Only the worker that runs the step can do this.');
  -- Without a lock: a call whose lease expires meanwhile is still recorded.
  select * into v_step from nofx.step where id = p_step and lease_token = p_token;
  if not found then
    return null;
  end if;
  select * into v_known from nofx.model_call
   where run_id = v_step.run_id and request_hash = p_call ->> 'hash' and status = 'succeeded' order by responded_at limit 1;
  if found then
    insert into nofx.event (tenant_id, run_id, step_id, type, data)
    values (v_step.tenant_id, v_step.run_id, p_step, 'model.replayed', jsonb_build_object('call_id', v_known.id, 'provider', v_known.provider, 'model', v_known.model));
    return json_build_object('replayed', json_build_object('response', v_known.response, 'provider', v_known.provider, 'model', v_known.model));
  end if;

  select budget into v_budget from nofx.model_settings where tenant_id = v_step.tenant_id;
  v_run := (select plan -> 'budget' from nofx.run where id = v_step.run_id);
  v_budget := coalesce(v_budget, '{}');
  if v_budget <> '{}' or coalesce(v_run, 'null') <> 'null' then
    perform pg_advisory_xact_lock(hashtextextended(v_step.tenant_id::text, 7));
    if v_usd is null and (v_budget ? 'run_usd' or v_budget ? 'day_usd' or coalesce(v_run, '{}') ? 'usd') then
      return json_build_object('over_budget', 'a budget in USD cannot be enforced for a model that has no price');
    end if;
    v_spent := nofx_private.model_spending(v_step.tenant_id, v_step.run_id, null);
    if (v_spent ->> 'usd')::numeric + v_usd > least((v_run ->> 'usd')::numeric, (v_budget ->> 'run_usd')::numeric) then
      return json_build_object('over_budget', format('the limit of the run is %s USD; %s are spent and the call may cost up to %s',
        trim_scale(least((v_run ->> 'usd')::numeric, (v_budget ->> 'run_usd')::numeric)), trim_scale((v_spent ->> 'usd')::numeric), trim_scale(v_usd)));
    end if;
    if (v_spent ->> 'tokens')::bigint + v_tokens > least((v_run ->> 'tokens')::bigint, (v_budget ->> 'run_tokens')::bigint) then
      return json_build_object('over_budget', format('the limit of the run is %s tokens; %s are used and the call may use up to %s',
        least((v_run ->> 'tokens')::bigint, (v_budget ->> 'run_tokens')::bigint), v_spent ->> 'tokens', v_tokens));
    end if;
    if v_budget ? 'day_usd' or v_budget ? 'day_tokens' then
      v_spent := nofx_private.model_spending(v_step.tenant_id, null, date_trunc('day', now() at time zone 'utc') at time zone 'utc');
      if (v_spent ->> 'usd')::numeric + v_usd > (v_budget ->> 'day_usd')::numeric or (v_spent ->> 'tokens')::bigint + v_tokens > (v_budget ->> 'day_tokens')::bigint then
        return json_build_object('over_budget', format('the tenant has spent %s USD and %s tokens today; the limits of a day are %s and %s',
          trim_scale((v_spent ->> 'usd')::numeric), v_spent ->> 'tokens', coalesce(v_budget ->> 'day_usd' || ' USD', 'no limit in USD'), coalesce(v_budget ->> 'day_tokens' || ' tokens', 'no limit of tokens')));
      end if;
    end if;
  end if;
  insert into nofx.model_call (id, tenant_id, run_id, step_id, attempt, request_hash, task, reserved_usd, reserved_tokens)
  values (v_id, v_step.tenant_id, v_step.run_id, p_step, v_step.attempt, p_call ->> 'hash', p_call ->> 'task', coalesce(v_usd, 0), v_tokens);
  return json_build_object('reserved', v_id);
end
$$;
grant execute on function nofx.begin_model_call(uuid, uuid, jsonb) to service_role;

-- Ends a model call. Works without the lease: paid calls are always recorded.
-- Takes: p_id; p_result, {provider, model, input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_usd, latency_ms,
--   fallbacks, response, error}; without a response the call failed.
-- Locks: the call; the breakers of the providers, in order.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.end_model_call(p_id uuid, p_result jsonb)
returns void
language plpgsql
security definer set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  v_call nofx.model_call;
  v_health nofx_private.health;
begin
  perform nofx_private.require_service('model', 'Only workers record model calls.');
  update nofx.model_call
     set status = case when p_result ? 'response' then 'succeeded' else 'failed' end,
         provider = p_result ->> 'provider', model = p_result ->> 'model',
         input_tokens = coalesce((p_result ->> 'input_tokens')::bigint, 0), cached_tokens = coalesce((p_result ->> 'cached_tokens')::bigint, 0),
         output_tokens = coalesce((p_result ->> 'output_tokens')::bigint, 0), reasoning_tokens = coalesce((p_result ->> 'reasoning_tokens')::bigint, 0),
         cost_usd = (p_result ->> 'cost_usd')::numeric, latency_ms = (p_result ->> 'latency_ms')::int,
         fallbacks = coalesce(p_result -> 'fallbacks', '[]'), response = p_result ->> 'response', error = p_result ->> 'error', responded_at = now()
   where id = p_id and status = 'reserved'
  returning * into v_call;
  if found then
    -- Failed attempts count against their provider's breaker, the response for it.
    v_health := nofx_private.record_results(array(
      select row (v_call.tenant_id, 'provider:' || tried.provider, count(*) filter (where tried.class in ('unavailable', 'rate_limited')),
               count(*) filter (where tried.class = 'succeeded'), left(max(tried.why), 500))::nofx_private.result
        from (select f ->> 'provider' as provider, f ->> 'class' as class, f ->> 'why' as why from jsonb_array_elements(v_call.fallbacks) as f
              union all select v_call.provider, 'succeeded', null where v_call.status = 'succeeded') as tried
       where tried.class in ('unavailable', 'rate_limited', 'succeeded')
       group by tried.provider));
    perform nofx_private.emit(v_health.events);
    insert into nofx.event (tenant_id, run_id, step_id, type, data)
    values (v_call.tenant_id, v_call.run_id, v_call.step_id, case when v_call.status = 'succeeded' then 'model.answered' else 'model.failed' end,
      jsonb_strip_nulls(jsonb_build_object('call_id', v_call.id, 'task', v_call.task, 'provider', v_call.provider, 'model', v_call.model,
        'latency_ms', v_call.latency_ms, 'input_tokens', v_call.input_tokens, 'output_tokens', v_call.output_tokens,
        'cached_tokens', v_call.cached_tokens, 'reasoning_tokens', v_call.reasoning_tokens, 'cost_usd', v_call.cost_usd,
        'cache_hit', v_call.cached_tokens > 0, 'fallbacks', v_call.fallbacks, 'error', v_call.error)));
  end if;
end
$$;
grant execute on function nofx.end_model_call(uuid, jsonb) to service_role;
