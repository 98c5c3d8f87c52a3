-- An event about to be written.
create type nofx_private.new_event as (
  tenant_id uuid,
  run_id uuid,
  step_id uuid,
  type text,
  data jsonb
);

-- Writes events in the given order: one statement for all events of a call.
-- Takes: p_events; null for none.
-- Locks: nothing.
-- Returns: how many were written.
-- Raises: nothing.
create function nofx_private.emit(p_events nofx_private.new_event[])
returns int
language plpgsql
set search_path = ''
as $$
declare
  v_region text;
  v_request text;
  v_tx bigint;
begin
  if coalesce(cardinality(p_events), 0) = 0 then
    return 0;
  end if;
  -- Once per call, not once per row.
  v_region := nofx_private.request_header('x-nofx-region');
  v_request := nofx_private.request_header('x-request-id');
  v_tx := nofx_private.event_tx();
  insert into nofx.event (tx, tenant_id, run_id, step_id, type, data, region, request_id)
  select v_tx, tenant_id, run_id, step_id, type, data, v_region, v_request from unnest(p_events);
  return cardinality(p_events);
end
$$;
