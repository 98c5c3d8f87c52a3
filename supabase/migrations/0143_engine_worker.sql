-- Workers, as of their last heartbeat. They serve all tenants, so only the service role reads them; the API shows them to
-- supervisors. The rows contain no tenant's data.
create table nofx.worker (
  name text primary key check (length(name) between 1 and 200),
  region text,
  version text not null,
  -- Steps that it runs now, and at most.
  running int not null check (running >= 0),
  concurrency int not null,
  memory_bytes bigint not null,
  started_at timestamptz not null,
  seen_at timestamptz not null default now()
);
alter table nofx.worker enable row level security;
alter table nofx.worker force row level security;
grant select on nofx.worker to service_role;

-- Records a worker's heartbeat, and deletes workers without one for an hour.
-- Takes: p_worker, {name, region, version, running, concurrency, memory_bytes, started_at}.
-- Locks: its row.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.record_worker_heartbeat(p_worker jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into nofx.worker as w (name, region, version, running, concurrency, memory_bytes, started_at)
  select n.name, n.region, n.version, n.running, n.concurrency, n.memory_bytes, n.started_at from jsonb_populate_record(null::nofx.worker, p_worker) as n
  on conflict (name) do update
     set region = excluded.region, version = excluded.version, running = excluded.running, concurrency = excluded.concurrency,
         memory_bytes = excluded.memory_bytes, started_at = excluded.started_at, seen_at = now();
  delete from nofx.worker where seen_at < now() - interval '1 hour';
end
$$;
