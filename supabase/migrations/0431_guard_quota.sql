-- Quotas of a tenant, set by operators; null for no limit.
create table nofx.quota (
  tenant_id uuid primary key references nofx.tenant (id) on delete cascade,
  runs_per_minute int check (runs_per_minute > 0),
  -- Ready and running steps of all its runs.
  parallel_steps int check (parallel_steps > 0),
  -- Stored bytes of artifacts.
  stored_bytes bigint check (stored_bytes > 0),
  -- Spent on models since midnight UTC.
  day_usd numeric check (day_usd > 0),
  -- Processor time of the processes of steps since midnight UTC, in seconds.
  day_cpu_s bigint check (day_cpu_s > 0),
  -- What one step may ask for, in MiB; a step that asks for nothing gets no more either.
  step_memory_mb int check (step_memory_mb > 0),
  step_disk_mb int check (step_disk_mb > 0),
  -- Steps whose programs run at once.
  parallel_sandboxes int check (parallel_sandboxes > 0),
  -- What sandboxes cost since midnight UTC.
  day_sandbox_usd numeric check (day_sandbox_usd > 0),
  changed_at timestamptz not null default now()
);
-- Each settle asks whether there is any.
create index quota_of_sandboxes on nofx.quota (tenant_id) where parallel_sandboxes is not null;
select nofx_private.secure_table('nofx.quota');

-- Refuses a new run that exceeds the tenant's quota, with the quota's name and when to retry. For tenants without one it costs one
-- read of a small table.
-- Takes: p_tenant.
-- Locks: nothing: concurrent runs may pass together.
-- Returns: nothing.
-- Raises: 429 quota-exceeded; the hint begins with the seconds to wait, 0 when unknown.
create function nofx_private.check_quota(p_tenant uuid)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  v_quota nofx.quota;
  v_used numeric;
  v_wait int;
begin
  select * into v_quota from nofx.quota where tenant_id = p_tenant;
  if not found then
    return;
  end if;
  if v_quota.runs_per_minute is not null then
    select count(*), ceil(extract(epoch from min(created_at) + interval '1 minute' - now())) into v_used, v_wait
      from (select created_at from nofx.run where tenant_id = p_tenant and created_at > now() - interval '1 minute'
             order by created_at desc limit v_quota.runs_per_minute) as recent;
    if v_used >= v_quota.runs_per_minute then
      perform nofx_private.refuse(429, 'quota-exceeded', 'runs_per_minute',
        format('%s; Limit of %s runs per minute reached. Retry in %s s.', greatest(v_wait, 1), v_quota.runs_per_minute, greatest(v_wait, 1)));
    end if;
  end if;
  if v_quota.parallel_steps is not null then
    -- Running runs are few; the tenant's history is not read.
    select count(*) into v_used
      from nofx.run r join nofx.step s on s.run_id = r.id and s.status in ('ready', 'running')
     where r.tenant_id = p_tenant and r.status in ('queued', 'running');
    if v_used >= v_quota.parallel_steps then
      perform nofx_private.refuse(429, 'quota-exceeded', 'parallel_steps',
        format('0; %s steps are ready or running, the limit is %s. Retry when one has finished.', v_used, v_quota.parallel_steps));
    end if;
  end if;
  if v_quota.stored_bytes is not null then
    select coalesce(sum(size_bytes), 0) into v_used from nofx.artifact where tenant_id = p_tenant;
    if v_used >= v_quota.stored_bytes then
      perform nofx_private.refuse(429, 'quota-exceeded', 'stored_bytes',
        format('0; %s bytes of artifacts are stored, the limit is %s. Space is freed when artifacts expire (retention).', v_used, v_quota.stored_bytes));
    end if;
  end if;
  if v_quota.day_usd is not null then
    v_used := (nofx_private.model_spending(p_tenant, null, date_trunc('day', now() at time zone 'utc') at time zone 'utc') ->> 'usd')::numeric;
    if v_used >= v_quota.day_usd then
      v_wait := ceil(extract(epoch from date_trunc('day', now() at time zone 'utc') + interval '1 day' - now() at time zone 'utc'));
      perform nofx_private.refuse(429, 'quota-exceeded', 'day_usd',
        format('%s; %s USD were spent today, the limit is %s. Retry after midnight UTC.', v_wait, trim_scale(v_used), trim_scale(v_quota.day_usd)));
    end if;
  end if;
  if v_quota.day_cpu_s is not null then
    v_used := nofx_private.cpu_ms_today(p_tenant) / 1000.0;
    if v_used >= v_quota.day_cpu_s then
      v_wait := ceil(extract(epoch from date_trunc('day', now() at time zone 'utc') + interval '1 day' - now() at time zone 'utc'));
      perform nofx_private.refuse(429, 'quota-exceeded', 'day_cpu_s',
        format('%s; %s s of processor time were used today, the limit is %s. Retry after midnight UTC.', v_wait, round(v_used), v_quota.day_cpu_s));
    end if;
  end if;
  if v_quota.day_sandbox_usd is not null then
    v_used := nofx_private.sandbox_micro_usd_today(p_tenant) / 1000000;
    if v_used >= v_quota.day_sandbox_usd then
      v_wait := ceil(extract(epoch from date_trunc('day', now() at time zone 'utc') + interval '1 day' - now() at time zone 'utc'));
      perform nofx_private.refuse(429, 'quota-exceeded', 'day_sandbox_usd',
        format('%s; sandboxes cost %s USD today, the limit is %s. Retry after midnight UTC.', v_wait, trim_scale(v_used), trim_scale(v_quota.day_sandbox_usd)));
    end if;
  end if;
end
$$;

-- Sets a tenant's quotas, in place of earlier ones; null for no limit. Programs that run count for parallel_sandboxes at once, and steps that waited for
-- it continue where it is higher now; a step that starts while it is set first may not be counted.
-- Takes: p_tenant; p_runs_per_minute; p_parallel_steps; p_stored_bytes; p_day_usd; p_day_cpu_s; p_step_memory_mb and p_step_disk_mb, in MiB;
--   p_parallel_sandboxes; p_day_sandbox_usd.
-- Locks: the quota; the tenant's sandboxes (take_sandboxes), alone.
-- Returns: the quota.
-- Raises: 403 forbidden when the caller is not the service role; 404 unknown-tenant; 422 invalid-settings.
create function nofx.set_quota(
  p_tenant uuid, p_runs_per_minute int default null, p_parallel_steps int default null, p_stored_bytes bigint default null,
  p_day_usd numeric default null, p_day_cpu_s bigint default null, p_step_memory_mb int default null, p_step_disk_mb int default null,
  p_parallel_sandboxes int default null, p_day_sandbox_usd numeric default null
)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_before jsonb;
  v_quota nofx.quota;
begin
  perform nofx_private.require_service('quota', 'Only operators set quotas.');
  perform pg_advisory_xact_lock(hashtextextended(p_tenant::text, 8));
  v_before := (select to_jsonb(q) from nofx.quota q where q.tenant_id = p_tenant);
  begin
    insert into nofx.quota (tenant_id, runs_per_minute, parallel_steps, stored_bytes, day_usd, day_cpu_s, step_memory_mb, step_disk_mb, parallel_sandboxes, day_sandbox_usd)
    values (p_tenant, p_runs_per_minute, p_parallel_steps, p_stored_bytes, p_day_usd, p_day_cpu_s, p_step_memory_mb, p_step_disk_mb, p_parallel_sandboxes, p_day_sandbox_usd)
    on conflict (tenant_id) do update
       set runs_per_minute = excluded.runs_per_minute, parallel_steps = excluded.parallel_steps,
           stored_bytes = excluded.stored_bytes, day_usd = excluded.day_usd, day_cpu_s = excluded.day_cpu_s,
           step_memory_mb = excluded.step_memory_mb, step_disk_mb = excluded.step_disk_mb,
           parallel_sandboxes = excluded.parallel_sandboxes, day_sandbox_usd = excluded.day_sandbox_usd, changed_at = now()
    returning * into v_quota;
  exception
    when foreign_key_violation then
      perform nofx_private.refuse(404, 'unknown-tenant', p_tenant::text, 'Create the tenant first.');
    when check_violation then
      perform nofx_private.refuse(422, 'invalid-settings', 'quota', 'Use numbers above 0, or null for no limit.');
  end;
  if p_parallel_sandboxes is not null then
    -- Running runs are few; the tenant's history is not read.
    insert into nofx.sandbox_slot (step_id, tenant_id, run_id)
    select s.id, s.tenant_id, s.run_id
      from nofx.run r join nofx.step s on s.run_id = r.id and s.status = 'running' and nofx_private.runs_programs(s.tool, s.spec)
     where r.tenant_id = p_tenant and r.status in ('running', 'paused', 'cancelling')
    on conflict (step_id) do nothing;
  end if;
  perform nofx_private.emit(nofx_private.admit_sandboxes(array[p_tenant]));
  perform nofx_private.audit(p_tenant, 'quota.set', 'nofx.quota', v_before, to_jsonb(v_quota));
  return to_json(v_quota);
end
$$;
grant execute on function nofx.set_quota(uuid, int, int, bigint, numeric, bigint, int, int, int, numeric) to service_role;
