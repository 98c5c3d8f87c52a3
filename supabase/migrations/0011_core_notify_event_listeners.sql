-- Notifies sessions that listen for events, once per statement.
-- A listener holds the shared advisory lock 'nofx_event'. Trying the exclusive lock shows whether there is any listener:
-- NOTIFY serialises commits, so it is only sent when someone listens.
-- Takes: nothing; a statement trigger on nofx.event.
-- Locks: the advisory lock 'nofx_event', briefly.
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

create trigger notify_event_listeners after insert on nofx.event
  for each statement execute function nofx_private.notify_event_listeners();
