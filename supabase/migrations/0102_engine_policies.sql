-- Who reads the tables of the engine.
select nofx_private.secure_table('nofx.run');
select nofx_private.secure_table('nofx.step');
select nofx_private.secure_table('nofx.step_edge');
select nofx_private.secure_table('nofx.step_attempt');
select nofx_private.secure_table('nofx.step_queue');
select nofx_private.secure_table('nofx.concurrency_slot');

-- Deletes rows of deleted runs. It replaces foreign keys, which would be checked at every insert.
-- Takes: a statement trigger on nofx.run; the deleted rows are in `gone`.
-- Locks: the rows it deletes.
-- Returns: null.
-- Raises: nothing.
create function nofx_private.delete_run_rows()
returns trigger
language plpgsql
security definer set search_path = ''
as $$
begin
  delete from nofx.step_edge where run_id in (select id from gone);
  delete from nofx.step_attempt where run_id in (select id from gone);
  delete from nofx.concurrency_slot where run_id in (select id from gone);
  delete from nofx.sandbox_slot where run_id in (select id from gone);
  delete from nofx.step_queue where run_id in (select id from gone);
  with freed as (
    delete from nofx_private.snapshot_blob where run_id in (select id from gone) returning blob
  )
  insert into nofx_private.blob_to_remove (blob)
  select distinct blob from freed order by blob
  on conflict (blob) do update set since = now();
  return null;
end
$$;

create trigger delete_run_rows after delete on nofx.run
  referencing old table as gone for each statement execute function nofx_private.delete_run_rows();

-- Releases the concurrency slot of a step that leaves `running` or can no longer be claimed.
-- Takes: a row trigger on nofx.step.
-- Locks: the slot.
-- Returns: null.
-- Raises: nothing.
create function nofx_private.release_slot()
returns trigger
language plpgsql
security definer set search_path = ''
as $$
begin
  if new.status not in ('ready', 'running') then
    delete from nofx.concurrency_slot where step_id = new.id;
  end if;
  return null;
end
$$;

create trigger release_slot after update on nofx.step
  for each row when (old.concurrency_key is not null)
  execute function nofx_private.release_slot();
