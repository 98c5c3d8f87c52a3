-- Wakes the workers that listen, once a statement, when a step became ready.
-- Takes: a statement trigger on nofx.doorbell; the new rows are in `rung`.
-- Locks: nothing.
-- Returns: null.
-- Raises: nothing.
create function nofx_private.ring()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from rung where kind = 'ready') then
    perform pg_notify('nofx_doorbell', '');
  end if;
  return null;
end
$$;

create trigger ring_for_new after insert on nofx.doorbell
  referencing new table as rung for each statement execute function nofx_private.ring();
create trigger ring_for_changed after update on nofx.doorbell
  referencing new table as rung for each statement execute function nofx_private.ring();
