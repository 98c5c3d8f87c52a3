-- Begins a request that carries an Idempotency-Key.
-- Takes: p_route, method and path; p_key, the key; p_hash, sha256 of the body.
-- Locks: the key's row.
-- Returns: {state: new | replay, resource_id, status, body}; `replay` carries the first response.
-- Raises: 403 forbidden; 400 invalid-request; 409 request-in-progress while the first request runs; 422 idempotency-key-reused when the body or
--   the caller differs.
create function nofx.begin_request(p_route text, p_key text, p_hash text)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('viewer');
  v_row nofx.idempotency_key;
begin
  -- An index has route and key.
  if p_route is null or p_key is null or p_hash is null or length(p_route) > 500 or length(p_key) > 255 or length(p_hash) > 100 then
    perform nofx_private.refuse(400, 'invalid-request', 'Idempotency-Key', 'Use a key of 1 to 255 characters.');
  end if;
  insert into nofx.idempotency_key (tenant_id, route, key, caller, request_hash, resource_id, locked_until)
  values (v_tenant, p_route, p_key, nofx_private.caller_name(), p_hash, nofx_private.uuid_v7(), now() + interval '30 seconds')
  on conflict (tenant_id, route, key) do nothing
  returning * into v_row;
  if found then
    return json_build_object('state', 'new', 'resource_id', v_row.resource_id);
  end if;
  select * into v_row from nofx.idempotency_key
   where tenant_id = v_tenant and route = p_route and key = p_key for update;
  -- The answer is for whoever asked.
  if v_row.caller <> nofx_private.caller_name() then
    perform nofx_private.refuse(422, 'idempotency-key-reused', p_key, 'Somebody else of the tenant used the key; use a new key.');
  end if;
  if v_row.request_hash <> p_hash then
    perform nofx_private.refuse(422, 'idempotency-key-reused', p_key, 'The key was used with another body; use a new key.');
  end if;
  if v_row.status is not null then
    return json_build_object('state', 'replay', 'resource_id', v_row.resource_id, 'status', v_row.status, 'body', v_row.body);
  end if;
  if v_row.locked_until > now() then
    perform nofx_private.refuse(409, 'request-in-progress', p_key, 'The first request with this key is still in progress; try again in a moment.');
  end if;
  -- The first request did not finish: this one takes its place, with the same resource id.
  update nofx.idempotency_key set locked_until = now() + interval '30 seconds'
   where tenant_id = v_tenant and route = p_route and key = p_key;
  return json_build_object('state', 'new', 'resource_id', v_row.resource_id);
end
$$;
grant execute on function nofx.begin_request(text, text, text) to nofx_api;

-- Stores the response to a request that carries an Idempotency-Key. Only whoever began the request, while it is in progress.
-- Takes: p_route, p_key, as in begin_request; p_status and p_body, the response; a status of 500 or more releases the key.
-- Locks: the key's row.
-- Returns: nothing.
-- Raises: 403 forbidden.
create function nofx.finish_request(p_route text, p_key text, p_status int, p_body jsonb)
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('viewer');
begin
  update nofx.idempotency_key
     set status = case when p_status < 500 then p_status end,
         body = case when p_status < 500 then p_body end,
         locked_until = now()
   where tenant_id = v_tenant and route = p_route and key = p_key and caller = nofx_private.caller_name() and status is null;
end
$$;
grant execute on function nofx.finish_request(text, text, int, jsonb) to nofx_api;

-- Prunes idempotency keys older than 24 hours, unused rate limits, calls of functions older than a day, webhook receipts older than 90 days, and deliveries
-- older than 30 days.
-- Takes: nothing.
-- Locks: the rows it deletes.
-- Returns: how many idempotency keys were deleted, at most 50,000.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.prune_requests()
returns int
language plpgsql
security definer set search_path = ''
as $$
declare
  v_count int;
begin
  perform nofx_private.require_service('idempotency key', 'Only workers prune requests.');
  perform nofx_private.prune_rate_windows();
  perform nofx_private.prune_deliveries();
  perform nofx_private.prune_function_calls();
  delete from nofx.idempotency_key k
   using (select o.tenant_id, o.route, o.key from nofx.idempotency_key o
           where o.created_at < now() - interval '24 hours' order by o.created_at limit 50000) as old
   where k.tenant_id = old.tenant_id and k.route = old.route and k.key = old.key;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
grant execute on function nofx.prune_requests() to service_role;
