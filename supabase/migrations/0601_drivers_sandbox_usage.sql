-- What the processes of a tenant's steps used, by day (UTC). In eight rows a day, so that settles of one tenant seldom wait for each other.
create table nofx.sandbox_usage (
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  day date not null,
  part smallint not null,
  cpu_ms bigint not null check (cpu_ms >= 0),
  wall_ms bigint not null check (wall_ms >= 0),
  -- In millionths of a USD.
  cost_micro_usd bigint not null default 0 check (cost_micro_usd >= 0),
  primary key (tenant_id, day, part)
) with (fillfactor = 70);
select nofx_private.secure_table('nofx.sandbox_usage');

-- Returns the processor time that a tenant used since midnight UTC.
-- Takes: p_tenant.
-- Locks: nothing.
-- Returns: milliseconds.
-- Raises: nothing.
create function nofx_private.cpu_ms_today(p_tenant uuid)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
begin
  return (select coalesce(sum(u.cpu_ms), 0)
            from nofx.sandbox_usage u where u.tenant_id = p_tenant and u.day = (now() at time zone 'utc')::date);
end
$$;

-- What the processes of a run's steps used and cost, of all attempts, also those that are parked.
create table nofx.run_usage (
  run_id uuid primary key references nofx.run (id) on delete cascade,
  tenant_id uuid not null,
  cpu_ms bigint not null check (cpu_ms >= 0),
  wall_ms bigint not null check (wall_ms >= 0),
  -- Of the largest process.
  max_rss_bytes bigint not null check (max_rss_bytes >= 0),
  -- In millionths of a USD.
  cost_micro_usd bigint not null check (cost_micro_usd >= 0)
) with (fillfactor = 70);
select nofx_private.secure_table('nofx.run_usage');

-- Returns what a tenant's sandboxes cost since midnight UTC.
-- Takes: p_tenant.
-- Locks: nothing.
-- Returns: millionths of a USD.
-- Raises: nothing.
create function nofx_private.sandbox_micro_usd_today(p_tenant uuid)
returns numeric
language plpgsql
stable
set search_path = ''
as $$
begin
  return (select coalesce(sum(u.cost_micro_usd), 0)
            from nofx.sandbox_usage u where u.tenant_id = p_tenant and u.day = (now() at time zone 'utc')::date);
end
$$;

-- Says what of the destinations of a usage cannot be: attempts and events have them as they are.
-- Takes: p_destinations, as a worker reported them; null for none.
-- Locks: nothing.
-- Returns: the fault for people; null when there is none.
-- Raises: nothing, whatever they are.
create function nofx_private.destinations_fault(p_destinations jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  if p_destinations is null then
    return null;
  elsif jsonb_typeof(p_destinations) <> 'array' then
    return format('destinations are of type %s, an array is needed', jsonb_typeof(p_destinations));
  elsif jsonb_array_length(p_destinations) > 256 then
    return format('destinations are %s, 256 are possible', jsonb_array_length(p_destinations));
  end if;
  return (select format('%s of a destination is %s', f.name, coalesce(left(d ->> f.name, 40), 'missing'))
            from jsonb_array_elements(p_destinations) as d
           cross join (values ('port', 65535), ('connections', 1e15), ('refused', 1e15), ('sent_bytes', 1e15), ('received_bytes', 1e15),
                              ('host', null)) as f (name, most)
           where case when f.most is null then jsonb_typeof(d -> f.name) is distinct from 'string'
                      when jsonb_typeof(d -> f.name) is distinct from 'number' then true
                      else (d ->> f.name)::numeric not between 0 and f.most or trunc((d ->> f.name)::numeric) <> (d ->> f.name)::numeric end
           limit 1);
end
$$;

-- Says what of a usage cannot be: a settle is of many tenants' steps, so one wrong number must not fail it, and must not be counted either.
-- Takes: p_usage, as a worker reported it: {cpu_ms, max_rss_bytes, wall_ms, read_bytes, written_bytes, destinations}.
-- Locks: nothing.
-- Returns: the fault for people; null when each number is there (those of disks may be left out), whole, and from 0 to 100,000,000,000 ms
--   (three years), 1 PiB of memory, or 1 EiB of disk, and destinations, when there are any, are 256 at most, each with a host, a port and whole counts.
-- Raises: nothing, whatever it is.
create function nofx_private.usage_fault(p_usage jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_bad text;
begin
  if jsonb_typeof(p_usage) <> 'object' then
    return format('usage is of type %s, an object is needed', jsonb_typeof(p_usage));
  end if;
  select format('%s is %s, a whole number from 0 to %s is needed', f.name, coalesce(left(p_usage ->> f.name, 40), 'missing'), f.most) into v_bad
    from (values ('cpu_ms', 100000000000, true), ('max_rss_bytes', 1125899906842624, true), ('wall_ms', 100000000000, true),
                 ('read_bytes', 1152921504606846976, false), ('written_bytes', 1152921504606846976, false)) as f (name, most, is_needed)
   where case when not f.is_needed and not p_usage ? f.name then false
              when coalesce(jsonb_typeof(p_usage -> f.name), 'null') <> 'number' then true
              else (p_usage ->> f.name)::numeric not between 0 and f.most or trunc((p_usage ->> f.name)::numeric) <> (p_usage ->> f.name)::numeric end
   order by f.name
   limit 1;
  return coalesce(v_bad, nofx_private.destinations_fault(p_usage -> 'destinations'));
end
$$;

-- Adds what two parts of an attempt used: times and bytes are added, of memory the peak counts, destinations are those of both.
-- Takes: p_before, what was parked; p_usage, what was reported; null for no process.
-- Locks: nothing.
-- Returns: {cpu_ms, max_rss_bytes, wall_ms, read_bytes, written_bytes, destinations}, without the last three when there are none; null when neither part ran a process.
-- Raises: nothing: both passed usage_fault, and sums stop at the largest bigint.
create function nofx_private.add_usage(p_before jsonb, p_usage jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  if p_before is null or p_usage is null then
    return coalesce(p_before, p_usage);
  end if;
  return jsonb_build_object(
    'cpu_ms', least((p_before ->> 'cpu_ms')::numeric + (p_usage ->> 'cpu_ms')::numeric, 9223372036854775807),
    'max_rss_bytes', greatest((p_before ->> 'max_rss_bytes')::numeric, (p_usage ->> 'max_rss_bytes')::numeric),
    'wall_ms', least((p_before ->> 'wall_ms')::numeric + (p_usage ->> 'wall_ms')::numeric, 9223372036854775807))
    || (select coalesce(jsonb_object_agg(f.name, least(coalesce((p_before ->> f.name)::numeric, 0) + coalesce((p_usage ->> f.name)::numeric, 0),
                                                       9223372036854775807)), '{}')
          from unnest(array['read_bytes', 'written_bytes']) as f (name)
         where p_before ? f.name or p_usage ? f.name)
    || case when p_before ? 'destinations' or p_usage ? 'destinations' then jsonb_build_object(
         'destinations', coalesce(p_before -> 'destinations', '[]') || coalesce(p_usage -> 'destinations', '[]')) else '{}' end;
end
$$;

-- Returns what held for both parts of an attempt: of several processes the least isolated one counts.
-- Takes: p_before, what was parked; p_isolation, what was reported; null for no process, {} for one of which nothing is known.
-- Locks: nothing.
-- Returns: one of them.
-- Raises: nothing.
create function nofx_private.weaker_isolation(p_before jsonb, p_isolation jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when p_before is null or p_isolation = '{}' then p_isolation
    when p_isolation is null or p_before = '{}' then p_before
    -- Without a level nothing was enforced.
    when coalesce(p_isolation ->> 'level', '') < coalesce(p_before ->> 'level', '') then p_isolation
    else p_before end;
end
$$;

-- Adds what the processes of settled steps used, and what that cost, to their runs and to their tenants' day. Called only when an outcome has
-- a usage; one with a fault (usage_fault) counts nothing, and its event says so.
-- Takes: p_outcomes, with usage {cpu_ms, max_rss_bytes, wall_ms, destinations} and isolation; p_settled, the steps whose outcomes were accepted.
-- Locks: a row of each run, in order; a row of each tenant's day, in order of tenants.
-- Returns: events to emit: sandbox.used, one for each step that has a usage.
-- Raises: nothing.
create function nofx_private.record_usage(p_outcomes nofx_private.outcome[], p_settled nofx_private.settled_step[])
returns nofx_private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_events nofx_private.new_event[];
begin
  with reported as materialized (
    select p.tenant_id, p.run_id, p.step_id, o.isolation, (p.event).data as data, o.usage, nofx_private.usage_fault(o.usage) as fault,
           nofx_private.driver_of(s, o.isolation) as driver, s.spec -> 'resources' as resources
      from unnest(p_settled) as p
      join unnest(p_outcomes) as o on o.step_id = p.step_id
      join nofx.step s on s.id = p.step_id
     where nullif(o.usage, 'null') is not null
  ), used as materialized (
    select r.*, (r.usage ->> 'cpu_ms')::numeric::bigint as cpu_ms,
           (r.usage ->> 'max_rss_bytes')::numeric::bigint as max_rss_bytes, (r.usage ->> 'wall_ms')::numeric::bigint as wall_ms, nofx_private.sandbox_cost(r.driver, r.resources, r.usage) as cost_micro_usd
      from reported r
     where r.fault is null
  ), of_runs as (
    insert into nofx.run_usage as u (run_id, tenant_id, cpu_ms, wall_ms, max_rss_bytes, cost_micro_usd)
    select run_id, tenant_id, sum(cpu_ms), sum(wall_ms), max(max_rss_bytes), sum(cost_micro_usd)
      from used
     group by run_id, tenant_id
     order by run_id
    on conflict (run_id) do update
      set cpu_ms = least(u.cpu_ms::numeric + excluded.cpu_ms, 9223372036854775807),
          wall_ms = least(u.wall_ms::numeric + excluded.wall_ms, 9223372036854775807),
          max_rss_bytes = greatest(u.max_rss_bytes, excluded.max_rss_bytes),
          cost_micro_usd = least(u.cost_micro_usd::numeric + excluded.cost_micro_usd, 9223372036854775807)
  ), of_days as (
    insert into nofx.sandbox_usage as u (tenant_id, day, part, cpu_ms, wall_ms, cost_micro_usd)
    select tenant_id, (now() at time zone 'utc')::date, pg_backend_pid() % 8, sum(cpu_ms), sum(wall_ms), sum(cost_micro_usd)
      from used
     group by tenant_id
     order by tenant_id
    on conflict (tenant_id, day, part) do update
      set cpu_ms = least(u.cpu_ms::numeric + excluded.cpu_ms, 9223372036854775807),
          wall_ms = least(u.wall_ms::numeric + excluded.wall_ms, 9223372036854775807),
          cost_micro_usd = least(u.cost_micro_usd::numeric + excluded.cost_micro_usd, 9223372036854775807)
  )
  select array_agg(row (r.tenant_id, r.run_id, r.step_id, 'sandbox.used', jsonb_build_object(
           'name', r.data -> 'name', 'tool', r.data -> 'tool', 'driver', r.isolation -> 'driver', 'level', r.isolation -> 'level',
           'cpu_ms', coalesce(u.cpu_ms, 0), 'max_rss_bytes', coalesce(u.max_rss_bytes, 0), 'wall_ms', coalesce(u.wall_ms, 0),
           'read_bytes', coalesce((u.usage ->> 'read_bytes')::numeric, 0), 'written_bytes', coalesce((u.usage ->> 'written_bytes')::numeric, 0),
           'cost_micro_usd', coalesce(u.cost_micro_usd, 0), 'destinations', coalesce(u.usage -> 'destinations', '[]'))
           || case when r.fault is null then '{}' else jsonb_build_object('refused', r.fault) end)::nofx_private.new_event)
    into v_events
    from reported r
    left join used u on u.step_id = r.step_id;
  return v_events;
end
$$;

-- Returns the reason why a step of a tenant with a quota may not run a program.
-- Takes: p_step, a step that was just claimed; p_quota, its tenant's.
-- Locks: nothing: concurrent claims may pass together.
-- Returns: {refuse: reason}; null when it may run, or runs no program of its plan or repository.
-- Raises: nothing, whatever the step's spec has.
create function nofx_private.quota_hold_for(p_step nofx.step, p_quota nofx.quota)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_resources jsonb := p_step.spec -> 'resources';
  v_memory_mb numeric := case when jsonb_typeof(v_resources -> 'memory_mb') = 'number' then (v_resources ->> 'memory_mb')::numeric end;
  v_disk_mb numeric := case when jsonb_typeof(v_resources -> 'disk_mb') = 'number' then (v_resources ->> 'disk_mb')::numeric end;
  v_used numeric;
begin
  if not nofx_private.runs_programs(p_step.tool, p_step.spec) then
    return null;
  end if;
  if v_memory_mb > (p_quota).step_memory_mb then
    return jsonb_build_object('refuse', format('the step asks for %s MiB of memory, the tenant''s quota step_memory_mb is %s',
      v_memory_mb, (p_quota).step_memory_mb));
  end if;
  if v_disk_mb > (p_quota).step_disk_mb then
    return jsonb_build_object('refuse', format('the step asks for %s MiB of disk, the tenant''s quota step_disk_mb is %s',
      v_disk_mb, (p_quota).step_disk_mb));
  end if;
  if (p_quota).day_cpu_s is not null then
    v_used := nofx_private.cpu_ms_today(p_step.tenant_id) / 1000.0;
    if v_used >= (p_quota).day_cpu_s then
      return jsonb_build_object('refuse', format('the tenant used %s s of processor time today, its quota day_cpu_s is %s; retry the run after midnight UTC',
        round(v_used), (p_quota).day_cpu_s));
    end if;
  end if;
  if (p_quota).day_sandbox_usd is not null then
    v_used := nofx_private.sandbox_micro_usd_today(p_step.tenant_id) / 1000000;
    if v_used >= (p_quota).day_sandbox_usd then
      return jsonb_build_object('refuse', format('the tenant''s sandboxes cost %s USD today, its quota day_sandbox_usd is %s; retry the run after midnight UTC',
        trim_scale(v_used), trim_scale((p_quota).day_sandbox_usd)));
    end if;
  end if;
  return null;
end
$$;
