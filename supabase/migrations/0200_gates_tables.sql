create type nofx.gate_status as enum ('pending', 'passed', 'failed', 'waived', 'cancelled', 'expired');

-- A gate on a step: people decide it (gate_type manual:…), or a tool did and left its evidence (gate_type gate:…).
create table nofx.gate (
  id uuid primary key,
  tenant_id uuid not null,
  run_id uuid not null references nofx.run (id) on delete cascade,
  step_id uuid not null references nofx.step (id) on delete cascade,
  gate_type text not null check (length(gate_type) between 1 and 200),
  status nofx.gate_status not null default 'pending',
  question text,
  -- Where the evidence of a tool is: its artifact's URI and id.
  evidence_uri text,
  evidence_id uuid,
  -- What a tool's gate was asked and how it came to its verdict, as its evidence says; policies compare it with what they ask (weakness).
  asked jsonb check (jsonb_typeof(asked) = 'object'),
  -- What it judged, by git's names: the tree of the workspace as the step began with it, for which its verdict counts, the commit that is
  -- checked out, and whether they are the same. Null: no workspace, or people decide.
  tree text check (tree ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
  commit text check (length(commit) <= 64),
  is_clean boolean,
  -- All of the workspace that it judged; null: the checkout, or none.
  snapshot text check (snapshot ~ '^[0-9a-f]{64}$'),
  -- The minimum role to decide, how many people must approve, and whether the author of the run may be one of them.
  role nofx.person_role not null default 'supervisor' check (role >= 'supervisor'),
  approvals_required int not null default 1 check (approvals_required between 1 and 10),
  author_may_approve boolean not null default true,
  -- Whether an API key may approve or waive it, as its maker.
  keys_may_approve boolean not null default false,
  -- When the gate expires; null: never.
  expires_at timestamptz,
  -- The last approval; all of them are in nofx.gate_decision.
  approved_by text,
  approved_at timestamptz,
  decided_by text,
  decided_at timestamptz,
  reason text,
  created_at timestamptz not null default now(),
  constraint decided_unless_pending check ((decided_at is not null) = (status <> 'pending')),
  constraint approval_is_whole check ((approved_by is null) = (approved_at is null))
);
create index gate_of_run on nofx.gate (run_id, created_at);
create index gate_of_step on nofx.gate (step_id);
create index gate_newest on nofx.gate (tenant_id, created_at desc, id desc);
create index gate_pending on nofx.gate (tenant_id, created_at desc, id desc) where status = 'pending';

-- All decisions of people on a gate, in order.
create table nofx.gate_decision (
  id uuid primary key,
  gate_id uuid not null references nofx.gate (id) on delete cascade,
  tenant_id uuid not null,
  -- The person: of an API key its maker.
  by text not null,
  -- The API key that decided in their name; null when they were signed in.
  key_id uuid,
  decision text not null check (decision in ('approve', 'reject', 'waive')),
  role nofx.person_role,
  reason text check (length(reason) <= 2000),
  created_at timestamptz not null default now()
);
create index decision_of_gate on nofx.gate_decision (gate_id, created_at);

-- Requirements before a tool may run: gates passed in the same run, approvals of people.
create table nofx.gate_policy (
  id uuid primary key,
  -- Null: the default for tenants without their own policy.
  tenant_id uuid references nofx.tenant (id) on delete cascade,
  -- A name, or a prefix that ends in `*`. A db_write includes its operation: db_write:delete.
  tool text not null check (tool ~ '^[a-z_]+(:[A-Za-z0-9_.-]*\*?)?$' and length(tool) <= 200),
  -- `git:` of `git:*`
  prefix text not null generated always as (rtrim(tool, '*')) stored,
  -- Gates that must have passed: gate:unit, or {gate, command, …} with what is asked of it (see weakness).
  requires jsonb not null default '[]' check (jsonb_typeof(requires) = 'array'),
  -- {role, count, expires_s, author_may_approve, keys_may_approve}; null: no approval is required.
  approval jsonb,
  changed_by text not null,
  changed_at timestamptz not null default now(),
  unique nulls not distinct (tenant_id, tool)
);

select nofx_private.secure_table('nofx.gate');
select nofx_private.secure_table('nofx.gate_decision');
alter table nofx.gate_policy enable row level security;
alter table nofx.gate_policy force row level security;
create policy own_tenant on nofx.gate_policy for select to nofx_api
  using (tenant_id is null or tenant_id = (select nofx_private.caller_tenant()));
grant select on nofx.gate_policy to nofx_api, service_role;
