-- Legal holds: what they name is not deleted, whatever its retention. The foreign keys do not cascade: a held run or tenant cannot be deleted
-- in any way.
create table nofx.legal_hold (
  id uuid primary key,
  tenant_id uuid not null references nofx.tenant (id),
  -- The run; null: everything of the tenant.
  run_id uuid references nofx.run (id),
  reason text not null check (length(reason) between 1 and 2000),
  created_by text not null,
  created_at timestamptz not null default now()
);
create index legal_hold_newest on nofx.legal_hold (tenant_id, created_at desc, id desc);
create index legal_hold_of_run on nofx.legal_hold (run_id);

select nofx_private.secure_table('nofx.legal_hold', p_min_role => 'supervisor');
