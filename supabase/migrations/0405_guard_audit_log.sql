-- What was done to data and rights, by whom. Rows are added and never changed.
create table nofx.audit_log (
  id uuid primary key,
  tenant_id uuid not null,
  actor text not null,
  action text not null,
  -- What it was done to: a table, a run, …
  target text not null,
  run_id uuid,
  step_id uuid,
  before jsonb,
  after jsonb,
  created_at timestamptz not null default now()
);
create index audit_newest on nofx.audit_log (tenant_id, created_at desc, id desc);

alter table nofx.audit_log enable row level security;
alter table nofx.audit_log force row level security;
create policy own_tenant on nofx.audit_log for select to authenticated
  using (tenant_id = (select nofx_private.caller_tenant()) and (select nofx_private.caller_role()) >= 'supervisor');
grant select on nofx.audit_log to authenticated, service_role;
