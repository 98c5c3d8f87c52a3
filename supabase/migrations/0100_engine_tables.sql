-- In both, the finished statuses come last: `>= 'succeeded'` tests for them. (CHECKs and trigger conditions are parsed again by
-- every statement, so they are kept short.)
create type nofx.run_status as enum
  ('queued', 'running', 'paused', 'cancelling', 'succeeded', 'failed', 'cancelled');
create type nofx.step_status as enum
  ('pending', 'ready', 'running', 'waiting', 'succeeded', 'failed', 'timed_out', 'cancelled', 'skipped');
-- The reason why a step waits.
create type nofx.wait_reason as enum ('gate', 'timer', 'child', 'breaker');
create type nofx.failure_policy as enum ('fail', 'continue', 'skip');

-- One execution of a plan.
create table nofx.run (
  id uuid primary key,
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  goal text not null,
  status nofx.run_status not null default 'queued',
  -- The plan as it was submitted.
  plan jsonb not null,
  workspace jsonb,
  -- What the first checkout of the workspace's ref found, for all later ones: see pin_workspace.
  pinned_commit text check (pinned_commit ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
  pinned_tree text check (pinned_tree ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
  priority int not null default 0,
  max_parallel int check (max_parallel > 0),
  deadline_at timestamptz,
  steps_total int not null,
  -- Unfinished steps; the run finishes when it reaches zero.
  open_steps int not null check (open_steps >= 0),
  -- Why the run failed or was cancelled. Set once a step failed permanently; the run will finish as failed.
  error jsonb,
  created_by text not null,
  traceparent text,
  -- Of the request that created it; correlates its events.
  request_id text default nofx_private.request_header('x-request-id'),
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  constraint ended_when_finished check ((ended_at is not null) = (status >= 'succeeded')),
  constraint failed_says_why check (status <> 'failed' or error is not null),
  constraint finished_when_no_step_is_open check (status < 'succeeded' or open_steps = 0)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
create index run_newest on nofx.run (tenant_id, created_at desc, id desc);
create index run_with_status on nofx.run (tenant_id, status, created_at desc, id desc);
create index run_with_deadline on nofx.run (deadline_at) where deadline_at is not null and ended_at is null;

-- One node of the plan's DAG, or one child of a for_each step.
create table nofx.step (
  id uuid primary key,
  tenant_id uuid not null,
  run_id uuid not null references nofx.run (id) on delete cascade,
  -- The for_each step that spawned this one, and the item it is for.
  parent_id uuid references nofx.step (id) on delete cascade,
  item_index int,
  item jsonb,
  position int not null,
  name text not null,
  tool text not null,
  -- inputs, if, for_each, retry, timeout_s, driver, min_isolation, resources, image, placement, env, secrets, refs: as the plan's author wrote them, defaults applied.
  spec jsonb not null default '{}',
  on_failure nofx.failure_policy not null default 'fail',
  max_attempts int not null default 1 check (max_attempts between 1 and 100),
  concurrency_key text,
  concurrency_limit int check (concurrency_limit > 0),
  status nofx.step_status not null default 'pending',
  waits_for nofx.wait_reason,
  -- Unfinished needs.
  needs_left int not null default 0,
  -- Number of the next, current or last attempt; parking does not start a new one.
  attempt int not null default 1,
  -- Attempts that ended in an error, counted against max_attempts.
  failures int not null default 0,
  -- Attempts whose lease expired, counted apart: they are not the step's fault.
  expired_leases int not null default 0,
  -- The breaker that its failures count against: http:api.example.com, provider:openai. Null: that of the tool.
  breaker_target text,
  -- Its inputs as its last attempt used them: expressions resolved, secrets masked. Null: as in spec, which has neither.
  inputs jsonb,
  outputs jsonb,
  -- Of the outputs, so that whoever reads those of many steps knows before how much that is.
  outputs_bytes int not null default 0,
  error jsonb,
  -- The workspace as the step left it: what git sees of it, and the digest of its manifest. Null: as its needs left it.
  tree text check (tree ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
  snapshot text check (snapshot ~ '^[0-9a-f]{64}$'),
  gate_id uuid,
  lease_token uuid,
  lease_expires_at timestamptz,
  worker text,
  -- What held and what was used before its current attempt was parked, as of an attempt; null when no process ran. {} as isolation: a
  -- process ran of which nothing is known.
  parked_isolation jsonb,
  parked_usage jsonb,
  ready_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  constraint lease_while_running check ((lease_token is not null) = (status = 'running')),
  constraint lease_is_whole check ((lease_token is null) = (lease_expires_at is null)),
  constraint ended_when_finished check ((ended_at is not null) = (status >= 'succeeded')),
  constraint waits_for_something check ((waits_for is not null) = (status = 'waiting')),
  constraint failed_says_why check (status < 'failed' or status > 'timed_out' or error is not null),
  constraint child_has_item check ((parent_id is null) = (item_index is null)),
  unique (run_id, name)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
-- No index names a column that changes (not even in its predicate), so that a change of status is a HOT update: it touches
-- one page and no index. Leases are found by nofx_private.lease_batch, uses of a key by nofx.concurrency_slot.
-- Steps that may free a place for others of their key.
create index step_with_key on nofx.step (run_id) where concurrency_key is not null;
create index step_of_parent on nofx.step (parent_id) where parent_id is not null;

-- "step_id needs needs_id to finish first."
create table nofx.step_edge (
  tenant_id uuid not null,
  run_id uuid not null,
  step_id uuid not null,
  needs_id uuid not null,
  primary key (run_id, needs_id, step_id)
);
create index step_edge_of_step on nofx.step_edge (run_id, step_id);

-- A finished attempt of a step: worker, times and outcome.
create table nofx.step_attempt (
  tenant_id uuid not null,
  run_id uuid not null,
  step_id uuid not null,
  attempt int not null,
  outcome text not null
    check (outcome in ('succeeded', 'failed', 'timed_out', 'cancelled', 'skipped', 'lease_expired', 'interrupted')),
  worker text,
  ready_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz not null default now(),
  error jsonb,
  -- What its driver enforced, and {cpu_ms, max_rss_bytes, wall_ms} of its processes; null when it ran none.
  isolation jsonb,
  usage jsonb,
  primary key (run_id, step_id, attempt)
);

-- The queue of steps: one row for each step that is ready, throttled by a limit, waits for its tenant's quota of parallel sandboxes, for a
-- timer, or for an open breaker (`breaker_target` says which; fire_timers sends probes).
-- Rows are short-lived: a claim deletes them, so the cost of a claim does not grow with the history.
create type nofx.step_queue_state as enum ('ready', 'throttled', 'quota', 'timer', 'breaker');
create table nofx.step_queue (
  step_id uuid primary key,
  tenant_id uuid not null,
  run_id uuid not null,
  state nofx.step_queue_state not null,
  priority int not null,
  tool text not null,
  concurrency_key text,
  breaker_target text,
  -- When the timer fires, or when to wake workers again for an unclaimed ready step.
  due_at timestamptz not null default now(),
  wake_count int not null default 0
) with (
  fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 2000
);
-- The order of claims: by tenant, then high priority first, then older steps first (ids sort by time).
create index step_queue_ready on nofx.step_queue (tenant_id, priority desc, step_id) where state = 'ready';
create index step_queue_of_quota on nofx.step_queue (tenant_id, priority desc, step_id) where state = 'quota';
create index step_queue_due on nofx.step_queue (due_at);
-- Timers of each tenant, the first to fire first.
create index step_queue_timers on nofx.step_queue (tenant_id, due_at, step_id) where state = 'timer';
create index step_queue_of_run on nofx.step_queue (run_id, step_id) where state <> 'ready';
create index step_queue_of_breaker on nofx.step_queue (tenant_id, breaker_target, step_id) where state = 'breaker';
create index step_queue_of_key on nofx.step_queue (tenant_id, concurrency_key, step_id) where state = 'throttled';

-- A slot of a concurrency key, occupied from the moment its step can be claimed until the step leaves `running`.
create table nofx.concurrency_slot (
  step_id uuid primary key,
  tenant_id uuid not null,
  run_id uuid not null,
  concurrency_key text not null
);
create index concurrency_slot_of_key on nofx.concurrency_slot (tenant_id, concurrency_key);

-- The steps that one call leased to a worker, and when to check their leases (see expire_leases).
create table nofx_private.lease_batch (
  id bigint generated always as identity primary key,
  step_ids uuid[] not null,
  check_at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create index lease_batch_due on nofx_private.lease_batch (check_at);
