-- Prices of sandboxes, with the time from which each is valid: the newest one of a driver that is valid applies. A row of the operator's is a
-- newer one (set_sandbox_price); none is changed, so that it stays known what a cost was computed from.
create table nofx.sandbox_price (
  -- Of nofx.driver, or `task`: an ECS task of the step's own.
  driver text not null check (driver in ('worker-container', 'vercel-function', 'modal', 'e2b', 'task')),
  valid_from timestamptz not null,
  -- For a second of a virtual CPU, and of a GiB of memory, in USD.
  vcpu_s_usd numeric not null check (vcpu_s_usd between 0 and 1),
  gib_s_usd numeric not null check (gib_s_usd between 0 and 1),
  -- What a sandbox has when its step asks for no more memory.
  vcpus numeric not null check (vcpus between 0 and 1024),
  memory_mb int not null check (memory_mb between 0 and 16777216),
  -- The shortest time that is paid for.
  min_s numeric not null default 0 check (min_s between 0 and 86400),
  -- Where it is from.
  source text not null check (length(source) between 1 and 500),
  primary key (driver, valid_from)
);
alter table nofx.sandbox_price enable row level security;
alter table nofx.sandbox_price force row level security;
create policy readable on nofx.sandbox_price for select to nofx_api using (true);
grant select on nofx.sandbox_price to nofx_api, service_role;

-- Published prices, as they were on 2026-11-27. The operator pays for the worker itself, however many steps it runs.
insert into nofx.sandbox_price (driver, valid_from, vcpu_s_usd, gib_s_usd, vcpus, memory_mb, min_s, source) values
  ('worker-container', '2026-11-27', 0, 0, 0, 0, 0, 'part of the worker'),
  ('vercel-function', '2026-11-27', 0, 0, 0, 0, 0, 'runs no programs'),
  -- Paid by what is allocated; 2 vCPU and 512 MiB unless the template says otherwise.
  ('e2b', '2026-11-27', 0.000014, 0.0000045, 2, 512, 0, 'https://e2b.dev/docs/faq/calculate-sandbox-price'),
  -- Sandboxes: 0.00003942 for a core, which is two virtual CPUs. Paid by the greater of what is asked for (0.125 cores and 128 MiB) and used.
  ('modal', '2026-11-27', 0.00001971, 0.00000672, 0.25, 128, 0, 'https://modal.com/pricing (sandboxes)'),
  -- Linux on x86 in us-east-1: 0.04048 for an hour of a vCPU, 0.004445 for one of a GB; at least a minute.
  ('task', '2026-11-27', 0.04048 / 3600, 0.004445 / 3600, 1, 2048, 60, 'https://aws.amazon.com/fargate/pricing/');

-- Returns which price applies to a step's processes.
-- Takes: p_step; p_isolation, what its driver reported, null or {} for nothing.
-- Locks: nothing.
-- Returns: the driver that reported, else that of its plan or tenant; `task` with that placement, which its worker may have chosen: worker-container
--   reaches L4 in a task only.
-- Raises: nothing.
create function nofx_private.driver_of(p_step nofx.step, p_isolation jsonb)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_driver text := coalesce(p_isolation ->> 'driver', p_step.spec ->> 'driver',
    (select i.default_driver::text from nofx.isolation i where i.tenant_id = p_step.tenant_id), 'worker-container');
begin
  return case when v_driver = 'worker-container' and (p_step.spec ->> 'placement' = 'task' or p_isolation ->> 'level' = 'L4') then 'task' else v_driver end;
end
$$;

-- Computes what the processes of a step cost: for its time, the greater of the processors that its sandbox has and those that it used, and
-- the greatest of the memory that it has, that the step asked for and that it used.
-- Takes: p_driver, as driver_of returns it; p_resources of the step; p_usage, that passed usage_fault.
-- Locks: nothing.
-- Returns: millionths of a USD, rounded up, at most 10^15; 0 for a driver that has no price.
-- Raises: nothing.
create function nofx_private.sandbox_cost(p_driver text, p_resources jsonb, p_usage jsonb)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
declare
  v_price nofx.sandbox_price;
  v_wall_s numeric;
  v_memory_mb numeric := case when jsonb_typeof(p_resources -> 'memory_mb') = 'number' then (p_resources ->> 'memory_mb')::numeric else 0 end;
begin
  select * into v_price from nofx.sandbox_price where driver = p_driver and valid_from <= now() order by valid_from desc limit 1;
  if not found then
    return 0;
  end if;
  v_wall_s := greatest((p_usage ->> 'wall_ms')::numeric / 1000, v_price.min_s);
  return least(ceil(1000000 * (
    greatest(v_price.vcpus * v_wall_s, (p_usage ->> 'cpu_ms')::numeric / 1000) * v_price.vcpu_s_usd
    + greatest(v_price.memory_mb, v_memory_mb, (p_usage ->> 'max_rss_bytes')::numeric / 1048576) / 1024 * v_wall_s * v_price.gib_s_usd)),
    1000000000000000);
end
$$;

-- Sets the price of a driver's sandboxes from now on, for all tenants.
-- Takes: p_driver; p_vcpu_s_usd and p_gib_s_usd, for a second of a virtual CPU and of a GiB; p_vcpus and p_memory_mb, what a sandbox has when
--   its step asks for no more; p_min_s, the shortest time that is paid for.
-- Locks: nothing.
-- Returns: the price.
-- Raises: 403 forbidden when the caller is not the service role; 422 invalid-settings.
create function nofx.set_sandbox_price(
  p_driver text, p_vcpu_s_usd numeric, p_gib_s_usd numeric, p_vcpus numeric, p_memory_mb int, p_min_s numeric default 0
)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_price nofx.sandbox_price;
begin
  perform nofx_private.require_service('price', 'Only operators set prices.');
  begin
    insert into nofx.sandbox_price (driver, valid_from, vcpu_s_usd, gib_s_usd, vcpus, memory_mb, min_s, source)
    values (p_driver, clock_timestamp(), p_vcpu_s_usd, p_gib_s_usd, p_vcpus, p_memory_mb, p_min_s, 'operator')
    returning * into v_price;
  exception when check_violation or not_null_violation then
    perform nofx_private.refuse(422, 'invalid-settings', coalesce(left(p_driver, 100), 'driver'),
      'Name worker-container, vercel-function, modal, e2b or task, prices from 0 to 1 USD a second, 0 to 1,024 vCPUs, and at most a day.');
  end;
  return to_json(v_price);
end
$$;
grant execute on function nofx.set_sandbox_price(text, numeric, numeric, numeric, int, numeric) to service_role;
