-- Maintains the partitions of the event log: creates those of the coming days, drops those past every tenant's retention.
-- Takes: p_days_ahead, how many days to create partitions for.
-- Locks: the event table, briefly, when it creates or drops a partition.
-- Returns: the names of the dropped partitions.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.maintain_event_partitions(p_days_ahead int default 3)
returns setof text
language plpgsql
security definer set search_path = ''
as $$
declare
  v_day date;
  v_name text;
  v_keep_days int;
begin
  perform nofx_private.require_service('event', 'Only workers maintain the event log.');
  for v_day in select generate_series(current_date, current_date + p_days_ahead, interval '1 day')::date loop
    v_name := 'event_' || to_char(v_day, 'YYYYMMDD');
    -- A day whose rows are in the default partition already gets none: creating it would fail.
    if to_regclass('nofx.' || v_name) is null
      and not exists (select 1 from nofx.event_default where created_at >= v_day and created_at < v_day + 1)
    then
      execute format('create table nofx.%I partition of nofx.event for values from (%L) to (%L)', v_name, v_day, v_day + 1);
      execute format('alter table nofx.%I enable row level security', v_name);
      execute format('alter table nofx.%I force row level security', v_name);
    end if;
  end loop;

  select greatest(90, coalesce(max(event_days), 0)) into v_keep_days from nofx.retention;
  -- When every tenant has a value, the longest decides.
  if not exists (select 1 from nofx.tenant t where not exists (select 1 from nofx.retention r where r.tenant_id = t.id and r.event_days is not null)) then
    select coalesce(max(event_days), 90) into v_keep_days from nofx.retention;
  end if;
  for v_name in
    select c.relname
      from pg_inherits i
      join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'nofx.event'::regclass
       and c.relname ~ '^event_\d{8}$'
       and to_date(substring(c.relname from 7), 'YYYYMMDD') < current_date - v_keep_days
     order by 1
  loop
    execute format('drop table nofx.%I', v_name);
    return next v_name;
  end loop;
end
$$;
grant execute on function nofx.maintain_event_partitions(int) to service_role;
