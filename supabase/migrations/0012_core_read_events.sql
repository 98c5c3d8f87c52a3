-- Reads a page of the caller's events after a cursor, oldest first, without gaps.
-- Takes: p_after_tx and p_after_id, the cursor (0, 0 for the beginning); p_types, kinds wanted, null for all;
--   p_run, one run only, null for all; p_limit, 1 to 1000.
-- Locks: nothing.
-- Returns: one row an event in the order (tx, id). Events of transactions that began before the oldest one still open
--   are all there; younger ones come in a later call.
-- Raises: nothing.
create function nofx.read_events(
  p_after_tx bigint default 0,
  p_after_id bigint default 0,
  p_types text[] default null,
  p_run uuid default null,
  p_limit int default 100
)
returns setof nofx.event
language sql
stable
security invoker set search_path = ''
as $$
  select *
    from nofx.event
   where tenant_id = (select nofx_private.caller_tenant())
     and (tx, id) > (p_after_tx, p_after_id)
     and tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
     and (p_types is null or type = any (p_types))
     and (p_run is null or run_id = p_run)
   order by tx, id
   limit least(greatest(p_limit, 1), 1000)
$$;
grant execute on function nofx.read_events(bigint, bigint, text[], uuid, int) to authenticated;

-- Tells where the caller's event log ends now.
-- Takes: nothing.
-- Locks: nothing.
-- Returns: the cursor after which only events yet to come are read.
-- Raises: nothing.
create function nofx.event_tail()
returns table (tx bigint, id bigint)
language sql
stable
security invoker set search_path = ''
as $$
  select pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, 9223372036854775807
$$;
grant execute on function nofx.event_tail() to authenticated;
