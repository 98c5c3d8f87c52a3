-- What a step made and keeps: the bytes are in Storage, bucket artifacts, at `path`.
create table nofx.artifact (
  id uuid primary key,
  tenant_id uuid not null,
  run_id uuid not null references nofx.run (id) on delete cascade,
  step_id uuid not null references nofx.step (id) on delete cascade,
  name text not null check (length(name) between 1 and 200),
  path text not null,
  media_type text not null,
  size_bytes bigint not null check (size_bytes >= 0),
  hash text not null check (hash ~ '^sha256:[0-9a-f]{64}$'),
  created_at timestamptz not null default now(),
  unique (tenant_id, path)
);
create index artifact_of_run on nofx.artifact (run_id, created_at);
create index artifact_of_step on nofx.artifact (step_id);

alter table nofx.artifact enable row level security;
alter table nofx.artifact force row level security;
create policy own_tenant on nofx.artifact for select to authenticated
  using (tenant_id = (select nofx_private.caller_tenant()));
grant select on nofx.artifact to authenticated, service_role;
