create type nofx.hook_phase as enum ('pre', 'post', 'error', 'background');
create type nofx.delivery_status as enum ('pending', 'delivered', 'failed');

-- A hook of a tenant. `pre` hooks run before a request and can deny it; `post` and `error` hooks run after a request that succeeded or
-- failed; `background` hooks receive events.
create table nofx.hook (
  id uuid primary key,
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  name text not null check (name ~ '^[A-Za-z0-9_.-]{1,80}$'),
  phase nofx.hook_phase not null,
  -- CEL over `event` (a CloudEvent) or `request`; empty for all.
  filter text not null default '' check (length(filter) <= 2000),
  -- {kind: webhook | slack, url, receiver} | {kind: tool, tool, inputs} | {kind: function, name}, name being one of schema nofx_hooks. url and
  -- inputs are sealed (is_sealed), since either may have a token in it; receiver is the URL's host and port.
  target jsonb not null,
  -- Host and port of a URL, else the tool or function: what a tenant sends to one receiver at once is limited.
  receiver text not null generated always as (case
    when target ->> 'kind' in ('webhook', 'slack') then coalesce(target ->> 'receiver', '')
    else coalesce(target ->> 'kind', '') || ':' || coalesce(target ->> 'tool', target ->> 'name', '') end) stored,
  -- Whether the last attempt got no 2xx response: then one delivery at a time is enough to see when it does.
  is_failing boolean not null default false,
  -- Standard Webhooks secrets, each sealed, newest first: each signs, so that a receiver can rotate.
  secrets text[] not null default '{}',
  -- Whoever changed phase, filter or target last: runs of its tool are theirs.
  created_by text not null,
  created_at timestamptz not null default now(),
  -- Why the hook was disabled: its receiver returned 410 Gone.
  disabled_reason text,
  disabled_at timestamptz,
  unique (tenant_id, name),
  constraint secrets_are_sealed check (
    cardinality(secrets) <= 2 and (cardinality(secrets) < 1 or nofx_private.is_sealed(secrets[1])) and (cardinality(secrets) < 2 or nofx_private.is_sealed(secrets[2]))),
  constraint target_is_sealed check (
    (not target ? 'url' or nofx_private.is_sealed(target ->> 'url')) and (not target ? 'inputs' or nofx_private.is_sealed(target ->> 'inputs')))
);
create index hook_in_background on nofx.hook (tenant_id) where phase = 'background' and disabled_at is null;

-- A delivery to a hook, made once, with as many attempts as needed. Its id is the idempotency token (`webhook-id`).
create table nofx.hook_delivery (
  id uuid primary key,
  tenant_id uuid not null,
  hook_id uuid not null references nofx.hook (id) on delete cascade,
  -- The event's cursor or the request's id: delivered to a hook once.
  dedup_key text not null,
  -- The bytes that are sent and signed.
  body text not null,
  status nofx.delivery_status not null default 'pending',
  attempts int not null default 0,
  -- Start of the retry schedule; a replay restarts it.
  first_attempt_at timestamptz not null default now(),
  next_at timestamptz not null default now(),
  -- Until when a worker attempts it; null when none does.
  claimed_until timestamptz,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  unique (hook_id, dedup_key),
  constraint ended_unless_pending check ((ended_at is not null) = (status <> 'pending'))
);
create index hook_delivery_due on nofx.hook_delivery (next_at) where status = 'pending';
-- The order of claims: the cost of one follows the number of hooks, not of deliveries.
create index hook_delivery_waiting on nofx.hook_delivery (hook_id, next_at) where status = 'pending' and claimed_until is null;
create index hook_delivery_claimed on nofx.hook_delivery (claimed_until) where claimed_until is not null;
create index hook_delivery_newest on nofx.hook_delivery (tenant_id, created_at desc, id desc);

-- Every attempt, with the receiver's response.
create table nofx.hook_attempt (
  delivery_id uuid not null references nofx.hook_delivery (id) on delete cascade,
  tenant_id uuid not null,
  attempt int not null,
  at timestamptz not null default now(),
  duration_ms int not null,
  -- HTTP status, if there was a response.
  status int,
  -- First 2,000 characters of the response.
  response text,
  error text,
  primary key (delivery_id, attempt)
);

-- The cursor of a reader of the event log, which receives each event at least once.
create table nofx.subscription (
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  name text not null,
  tx bigint not null,
  id bigint not null,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, name)
);

-- Functions that hooks may call, each `name(jsonb)`. Only operators can create them.
create schema if not exists nofx_hooks;

-- Only claim_deliveries and request_hooks read the secrets.
select nofx_private.secure_table('nofx.hook', p_min_role => 'supervisor', p_service => false,
  p_columns => '{id, tenant_id, name, phase, filter, target, created_by, created_at, disabled_reason, disabled_at}');
select nofx_private.secure_table('nofx.hook_delivery', p_min_role => 'supervisor', p_service => false);
select nofx_private.secure_table('nofx.hook_attempt', p_min_role => 'supervisor', p_service => false);
select nofx_private.secure_table('nofx.subscription', p_service => false);
