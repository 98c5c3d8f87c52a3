create type nofx.breaker_state as enum ('closed', 'open', 'half_open');

-- The breaker of a tool, or of an external dependency of tools (`provider:…`, `http:<host>`), one for each tenant, so that tenants do
-- not affect each other. A row appears with the first transient failure and is deleted when a window passes without one.
create table nofx.handler_health (
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  -- As long as a name of DNS with its kind: a longer one would not fit into the index of alerts, and stop those of all tenants.
  target text not null check (length(target) <= 300),
  state nofx.breaker_state not null default 'closed',
  -- Results since window_began_at, or those of probes while half open.
  succeeded int not null default 0,
  failed int not null default 0,
  window_began_at timestamptz not null default now(),
  -- Closed: null. Open: when to probe. Half open: when to send probes again.
  probe_at timestamptz,
  probes_in_flight int not null default 0,
  -- How long the next opening lasts; doubles with each probe that fails.
  open_ms int not null default 1000,
  last_error text,
  changed_at timestamptz not null default now(),
  -- When it was last closed; null while it is closed. A failed probe does not change it.
  opened_at timestamptz,
  -- When it opens: at this rate of failures, of this many results at least, within this window; and how many probes must succeed.
  window_s int not null default 60 check (window_s between 1 and 3600),
  min_volume int not null default 5 check (min_volume between 1 and 10000),
  failure_rate real not null default 0.5 check (failure_rate > 0 and failure_rate <= 1),
  probes int not null default 1 check (probes between 1 and 100),
  primary key (tenant_id, target),
  constraint probes_unless_closed check ((probe_at is null) = (state = 'closed')),
  constraint opened_unless_closed check ((opened_at is null) = (state = 'closed'))
);

-- Those that a claim names.
create index handler_health_open on nofx.handler_health (tenant_id, target) where state = 'open';

create type nofx.dlq_reason as enum ('exhausted', 'poison');

-- Dead letters: steps that exhausted their attempts or are poison. Requeueing or purging removes them.
create table nofx.step_dlq (
  id uuid primary key,
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  run_id uuid not null references nofx.run (id) on delete cascade,
  step_id uuid not null unique references nofx.step (id) on delete cascade,
  name text not null,
  tool text not null,
  reason nofx.dlq_reason not null,
  attempts int not null,
  -- The last error; its chain holds the earlier ones.
  error jsonb not null,
  inputs jsonb not null,
  -- Artifacts of the step: {id, name, path}.
  evidence jsonb not null,
  created_at timestamptz not null default now()
);
create index step_dlq_oldest on nofx.step_dlq (tenant_id, created_at, id);
create index step_dlq_of_run on nofx.step_dlq (run_id);

create type nofx.alert_kind as enum ('queue_depth', 'queue_age', 'queue_latency', 'dlq_growth', 'breaker_open', 'approval_waiting');

-- A tenant's threshold of an alert. Without a row the default of alert_threshold applies.
create table nofx.alert_rule (
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  kind nofx.alert_kind not null,
  -- Steps, seconds, seconds (95th percentile), steps in ten minutes, seconds, seconds. Null: never.
  threshold double precision check (threshold > 0),
  primary key (tenant_id, kind)
);

-- Raised alerts, open or resolved. An open alert is not raised again about the same subject.
create table nofx.alert (
  id uuid primary key,
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  kind nofx.alert_kind not null,
  -- What it is about: high, normal or low for the steps of a priority, dlq, the target of a breaker, the id of a gate.
  subject text not null,
  -- The run that it is about, if there is one.
  run_id uuid,
  value double precision not null,
  threshold double precision not null,
  -- The page of its subject in the dashboard.
  link text not null,
  -- Of approval_waiting: what deciders returned when it was raised. Empty for the others.
  details jsonb not null default '{}',
  raised_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  resolved_at timestamptz
);
create unique index alert_open on nofx.alert (tenant_id, kind, subject) where resolved_at is null;
-- The order of the list, ongoing ones first; and of deletion.
create index alert_newest on nofx.alert (tenant_id, resolved_at desc, id desc);

select nofx_private.secure_table('nofx.handler_health');
select nofx_private.secure_table('nofx.step_dlq');
select nofx_private.secure_table('nofx.alert_rule');
select nofx_private.secure_table('nofx.alert');
