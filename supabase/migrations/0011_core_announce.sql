-- Wakes whoever follows the event log, once a statement.
-- A follower holds the shared advisory lock 'nofx_event' for as long as it listens. Asking for the exclusive one, for a
-- moment, tells whether there is any: NOTIFY serialises commits, so nobody pays for it when nobody listens.
-- Takes: nothing; a statement trigger on nofx.event.
-- Locks: the advisory lock 'nofx_event', for a moment.
-- Returns: null.
-- Raises: nothing.
create function nofx_private.notify_event_listeners()
returns trigger
language plpgsql
security definer set search_path = ''
as $$
begin
  if pg_try_advisory_lock(hashtextextended('nofx_event', 0)) then
    perform pg_advisory_unlock(hashtextextended('nofx_event', 0));
  else
    perform pg_notify('nofx_event', '');
  end if;
  return null;
end
$$;

create trigger announce after insert on nofx.event
  for each statement execute function nofx_private.notify_event_listeners();
