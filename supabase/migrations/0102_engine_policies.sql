-- People read the rows of their own tenant. Rows are written only through the functions of this schema.
do $$
declare
  v_table text;
begin
  foreach v_table in array array['run', 'step', 'step_edge', 'step_attempt', 'step_queue', 'concurrency_slot'] loop
    execute format('alter table nofx.%I enable row level security', v_table);
    execute format('alter table nofx.%I force row level security', v_table);
    execute format('create policy own_tenant on nofx.%I for select to authenticated using (tenant_id = (select nofx_private.caller_tenant()))', v_table);
    execute format('grant select on nofx.%I to authenticated, service_role', v_table);
  end loop;
end
$$;

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
  delete from nofx.step_queue where run_id in (select id from gone);
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
