create type nofx.gate_status as enum ('pending', 'passed', 'failed', 'waived', 'cancelled');

-- A barrier on a step: a person decides it (kind manual:…), or a tool did and left its evidence (kind gate:…).
create table nofx.gate (
  id uuid primary key,
  tenant_id uuid not null,
  run_id uuid not null references nofx.run (id) on delete cascade,
  step_id uuid not null references nofx.step (id) on delete cascade,
  kind text not null check (length(kind) between 1 and 200),
  status nofx.gate_status not null default 'pending',
  question text,
  evidence_path text,
  decided_by text,
  decided_at timestamptz,
  reason text,
  created_at timestamptz not null default now(),
  constraint decided_when_over check ((decided_at is not null) = (status <> 'pending'))
);
create index gate_of_run on nofx.gate (run_id, created_at);
create index gate_of_step on nofx.gate (step_id);
create index gate_pending on nofx.gate (tenant_id, created_at) where status = 'pending';

alter table nofx.gate enable row level security;
alter table nofx.gate force row level security;
create policy own_tenant on nofx.gate for select to authenticated
  using (tenant_id = (select nofx_private.caller_tenant()));
grant select on nofx.gate to authenticated, service_role;
