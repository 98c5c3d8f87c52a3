-- Drops a partition of the event log, unless someone reads it just now: the drop waits for its readers, and claims for the drop.
-- Takes: p_name.
-- Locks: the event table and the partition, for at most a tenth of a second before it gives up.
-- Returns: whether it was dropped.
-- Raises: nothing.
create function nofx_private.drop_partition(p_name text)
returns boolean
language plpgsql
set search_path = '' set lock_timeout = '100ms'
as $$
begin
  execute format('drop table nofx.%I', p_name);
  return true;
exception when lock_not_available then
  return false;
end
$$;

-- Maintains the partitions of the event log: creates those of the coming days, drops those past every tenant's retention. Rows of tenants
-- with a shorter one, and of partitions that a legal hold keeps, are deleted by prune_events.
-- Takes: p_days_ahead, how many days to create partitions for.
-- Locks: the advisory lock of begin_prune; the event table, briefly, when it creates or drops a partition.
-- Returns: the names of the dropped partitions. One that is being read stays until the next call, and so do those after it.
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
  v_held uuid[];
  v_is_held boolean;
  v_may_drop boolean;
  v_due text[] := '{}';
begin
  v_may_drop := nofx_private.begin_prune();
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

  -- A legal hold that is being placed comes first.
  if not v_may_drop then
    return;
  end if;
  -- The longest decides; none is dropped while a tenant keeps its events forever.
  select case when count(*) = count(days) then coalesce(max(days), 90) end into v_keep_days
    from nofx.tenant t
   cross join lateral (select nofx_private.retention_days(t.id, 'events') as days) as setting;
  v_held := array(select run_id from nofx.legal_hold where run_id is not null);
  -- All are looked through before the first is dropped: from then on claims wait until the end of this transaction.
  for v_name in
    select c.relname
      from pg_inherits i
      join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'nofx.event'::regclass
       and c.relname ~ '^event_\d{8}$'
       and to_date(substring(c.relname from 7), 'YYYYMMDD') < current_date - v_keep_days
     order by 1
  loop
    execute format('select exists (select from nofx.%I where run_id = any ($1))', v_name) into v_is_held using v_held;
    if not v_is_held then
      v_due := v_due || v_name;
    end if;
  end loop;
  foreach v_name in array v_due loop
    exit when not nofx_private.drop_partition(v_name);
    return next v_name;
  end loop;
end
$$;
grant execute on function nofx.maintain_event_partitions(int) to service_role;
