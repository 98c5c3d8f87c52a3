-- Returns the trace of an event: a computed column of nofx.event.
-- Takes: the event.
-- Locks: nothing.
-- Returns: {traceparent, correlationid}, of the run when the event has one.
-- Raises: nothing.
create function nofx.origin(nofx.event)
returns json
language plpgsql
stable
security invoker set search_path = ''
as $$
begin
  return (select json_build_object('traceparent', max(r.traceparent), 'correlationid', coalesce(max(r.request_id), $1.request_id))
            from nofx.run r where r.id = $1.run_id);
end
$$;
grant execute on function nofx.origin(nofx.event) to nofx_api;

-- Reads a page of the caller's events after a cursor, oldest first, without gaps.
-- Takes: p_after_tx and p_after_id, the cursor (0, 0 for the beginning); p_types, event types, null for all;
--   p_run, null for all runs; p_limit, 1 to 1000.
-- Locks: nothing.
-- Returns: one row an event in the order (tx, id). It is complete for transactions older than the oldest open one; younger
--   events come in a later call. A page ends with the event at which its data reaches 1 MiB; the `more` of that event is true.
-- Raises: nothing.
create function nofx.read_events(
  p_after_tx bigint default 0,
  p_after_id bigint default 0,
  p_types text[] default null,
  p_run uuid default null,
  p_limit int default 100
)
returns table (
  id bigint, tx bigint, tenant_id uuid, run_id uuid, step_id uuid, type text, data jsonb, created_at timestamptz, region text, origin json, more boolean
)
language plpgsql
stable
security invoker set search_path = ''
as $$
declare
  v_event nofx.event;
  v_bytes bigint := 0;
begin
  -- A loop reads no further than it returns: a page of events that are as large as they may be would be a gigabyte.
  for v_event in
    select e.*
      from nofx.event e
     where e.tenant_id = (select nofx_private.caller_tenant())
       and (e.tx, e.id) > (p_after_tx, p_after_id)
       and e.tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
       and (p_types is null or e.type = any (p_types))
       and (p_run is null or e.run_id = p_run)
     order by e.tx, e.id
     limit least(greatest(p_limit, 1), 1000)
  loop
    v_bytes := v_bytes + octet_length(v_event.data::text);
    id := v_event.id;
    tx := v_event.tx;
    tenant_id := v_event.tenant_id;
    run_id := v_event.run_id;
    step_id := v_event.step_id;
    type := v_event.type;
    data := v_event.data;
    created_at := v_event.created_at;
    region := v_event.region;
    origin := nofx.origin(v_event);
    more := v_bytes >= 1048576;
    return next;
    exit when more;
  end loop;
end
$$;
grant execute on function nofx.read_events(bigint, bigint, text[], uuid, int) to nofx_api;

-- Returns the current end of the event log.
-- Takes: nothing.
-- Locks: nothing.
-- Returns: a cursor; only future events lie after it.
-- Raises: nothing.
create function nofx.event_tail()
returns table (tx bigint, id bigint)
language sql
stable
security invoker set search_path = ''
as $$
  select pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, 9223372036854775807
$$;
grant execute on function nofx.event_tail() to nofx_api;
