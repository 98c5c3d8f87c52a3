create type nofx.hook_phase as enum ('pre', 'post', 'error', 'background');
create type nofx.delivery_status as enum ('pending', 'delivered', 'failed');

-- What a tenant wants to be told, or asked. `pre` is asked before a request does anything, and may say no; `post` and `error` are told
-- after a request that succeeded or did not; `background` is told of events.
create table nofx.hook (
  id uuid primary key,
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  name text not null check (name ~ '^[A-Za-z0-9_.-]{1,80}$'),
  phase nofx.hook_phase not null,
  -- CEL over `event` (a CloudEvent) or `request`; empty for all.
  filter text not null default '' check (length(filter) <= 2000),
  -- {kind: webhook | slack, url} | {kind: tool, tool, inputs} | {kind: function, name}, name being one of schema nofx_hooks.
  target jsonb not null,
  -- Standard Webhooks secrets, newest first: each signs, so that a receiver can change over.
  secrets text[] not null default '{}',
  created_by text not null,
  created_at timestamptz not null default now(),
  -- Why it was switched off: its receiver said that it is gone.
  disabled_reason text,
  disabled_at timestamptz,
  unique (tenant_id, name)
);
create index hook_in_background on nofx.hook (tenant_id) where phase = 'background' and disabled_at is null;

-- What a hook is to be told: once, however often it takes. Its id is the idempotency token (`webhook-id`).
create table nofx.hook_delivery (
  id uuid primary key,
  tenant_id uuid not null,
  hook_id uuid not null references nofx.hook (id) on delete cascade,
  -- What it is about: the event's cursor or the request's id.
  dedup_key text not null,
  -- The bytes that are sent and signed.
  body text not null,
  status nofx.delivery_status not null default 'pending',
  attempts int not null default 0,
  -- Since when it is tried; a replay begins anew.
  first_attempt_at timestamptz not null default now(),
  next_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  unique (hook_id, dedup_key),
  constraint ended_unless_pending check ((ended_at is not null) = (status <> 'pending'))
);
create index hook_delivery_due on nofx.hook_delivery (next_at) where status = 'pending';
create index hook_delivery_newest on nofx.hook_delivery (tenant_id, created_at desc, id desc);

-- Every try, with what the receiver said.
create table nofx.hook_attempt (
  delivery_id uuid not null references nofx.hook_delivery (id) on delete cascade,
  tenant_id uuid not null,
  attempt int not null,
  at timestamptz not null default now(),
  duration_ms int not null,
  -- HTTP status, where there was an answer.
  status int,
  -- The first 2,000 characters of it.
  response text,
  error text,
  primary key (delivery_id, attempt)
);

-- How far a reader of the event log has come: it gets each event at least once.
create table nofx.subscription (
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  name text not null,
  tx bigint not null,
  id bigint not null,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, name)
);

-- Functions that hooks may call, each `name(jsonb)`. Operators put them here; nobody else may.
create schema if not exists nofx_hooks;

alter table nofx.hook enable row level security;
alter table nofx.hook force row level security;
alter table nofx.hook_delivery enable row level security;
alter table nofx.hook_delivery force row level security;
alter table nofx.hook_attempt enable row level security;
alter table nofx.hook_attempt force row level security;
alter table nofx.subscription enable row level security;
alter table nofx.subscription force row level security;
create policy own_tenant on nofx.hook for select to authenticated
  using (tenant_id = (select nofx_private.caller_tenant()) and (select nofx_private.caller_role()) >= 'supervisor');
create policy own_tenant on nofx.hook_delivery for select to authenticated
  using (tenant_id = (select nofx_private.caller_tenant()) and (select nofx_private.caller_role()) >= 'supervisor');
create policy own_tenant on nofx.hook_attempt for select to authenticated
  using (tenant_id = (select nofx_private.caller_tenant()) and (select nofx_private.caller_role()) >= 'supervisor');
create policy own_tenant on nofx.subscription for select to authenticated using (tenant_id = (select nofx_private.caller_tenant()));
-- The secrets are for claim_deliveries and request_hooks alone.
grant select (id, tenant_id, name, phase, filter, target, created_by, created_at, disabled_reason, disabled_at) on nofx.hook to authenticated;
grant select on nofx.hook_delivery, nofx.hook_attempt, nofx.subscription to authenticated;
