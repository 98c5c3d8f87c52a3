-- What the processes of a tenant's steps used, by day (UTC). In eight rows a day, so that settles of one tenant seldom wait for each other.
create table nofx.sandbox_usage (
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  day date not null,
  part smallint not null,
  cpu_ms bigint not null check (cpu_ms >= 0),
  wall_ms bigint not null check (wall_ms >= 0),
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

-- Adds what the processes of settled steps used to their tenants' day. Called only when an outcome has a usage.
-- Takes: p_outcomes, with usage {cpu_ms, max_rss_bytes, wall_ms, destinations} and isolation; p_settled, the steps whose outcomes were accepted.
-- Locks: a row of each tenant's day, in order of tenants.
-- Returns: events to emit: sandbox.usage, one for each step that has a usage.
-- Raises: nothing.
create function nofx_private.record_usage(p_outcomes nofx_private.outcome[], p_settled nofx_private.settled_step[])
returns nofx_private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_events nofx_private.new_event[];
begin
  with used as materialized (
    select p.tenant_id, p.run_id, p.step_id, o.isolation, (p.event).data as data, (o.usage ->> 'cpu_ms')::bigint as cpu_ms,
           (o.usage ->> 'max_rss_bytes')::bigint as max_rss_bytes, (o.usage ->> 'wall_ms')::bigint as wall_ms,
           coalesce(o.usage -> 'destinations', '[]') as destinations
      from unnest(p_settled) as p
      join unnest(p_outcomes) as o on o.step_id = p.step_id
     where jsonb_typeof(o.usage) = 'object'
  ), added as (
    insert into nofx.sandbox_usage as u (tenant_id, day, part, cpu_ms, wall_ms)
    select tenant_id, (now() at time zone 'utc')::date, pg_backend_pid() % 8, sum(coalesce(cpu_ms, 0)), sum(coalesce(wall_ms, 0))
      from used
     group by tenant_id
     order by tenant_id
    on conflict (tenant_id, day, part) do update set cpu_ms = u.cpu_ms + excluded.cpu_ms, wall_ms = u.wall_ms + excluded.wall_ms
  )
  select array_agg(row (tenant_id, run_id, step_id, 'sandbox.usage', jsonb_build_object(
           'name', data -> 'name', 'tool', data -> 'tool', 'driver', isolation -> 'driver', 'level', isolation -> 'level',
           'cpu_ms', coalesce(cpu_ms, 0), 'max_rss_bytes', coalesce(max_rss_bytes, 0), 'wall_ms', coalesce(wall_ms, 0),
           'destinations', destinations))::nofx_private.new_event)
    into v_events
    from used;
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
  -- A for_each step only spawns its children; each of them is held on its own.
  if not (p_step.tool = 'bash' or starts_with(p_step.tool, 'gate:')) or p_step.spec ? 'for_each' then
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
  return null;
end
$$;
