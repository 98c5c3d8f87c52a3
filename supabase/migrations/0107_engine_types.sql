-- The outcome of one step, as a worker settles it (that of a db_write: see settle_write). `breaker_target`: the dependency that a failure counts
-- against, null for the tool; `ignored_by_breaker`: the failure does not count against any breaker; `inputs`: those of the attempt, secrets
-- masked, null when they are as in the step's spec; `isolation`: what held while its processes ran, `usage`: {cpu_ms, max_rss_bytes,
-- wall_ms, destinations} of all of them, both null when there was no process, {} as isolation when its driver reported nothing; `tree` and
-- `snapshot`: the workspace as it left it, null when it changed nothing. A worker
-- only reports that it
-- interrupted a step; the run's status decides whether the step is cancelled or becomes ready, so that no step of a running run is
-- cancelled.
create type nofx_private.outcome_kind as enum
  ('done', 'skipped', 'failed', 'timed_out', 'interrupted', 'gate', 'timer', 'children', 'breaker_open');
create type nofx_private.outcome as (
  step_id uuid,
  token uuid,
  kind nofx_private.outcome_kind,
  outputs jsonb,
  error jsonb,
  transient boolean,
  wait_ms bigint,
  gate jsonb,
  children jsonb,
  breaker_target text,
  ignored_by_breaker boolean,
  inputs jsonb,
  isolation jsonb,
  usage jsonb,
  tree text,
  snapshot text
);

-- What an outcome means for its step: see next_status.
create type nofx_private.decision as (
  status nofx.step_status,
  -- Null unless it waits.
  waits_for nofx.wait_reason,
  -- When its timer is due.
  due_at timestamptz,
  -- The outcome of the attempt; null while the attempt is parked.
  attempt_outcome text,
  -- Whether the step continues the attempt when it starts again, or begins another one.
  keeps_attempt boolean,
  event_type text
);

-- A step whose outcome was accepted.
create type nofx_private.settled_step as (
  step_id uuid,
  tenant_id uuid,
  run_id uuid,
  status nofx.step_status,
  waits_for nofx.wait_reason,
  due_at timestamptz,
  -- The breaker that it waits for, if it does.
  target text,
  -- Whether its error is transient: if it failed nevertheless, no attempt is left.
  is_transient boolean,
  event nofx_private.new_event
);

-- Steps that a call started, leased to its worker, and the events of it.
create type nofx_private.started as (
  steps uuid[],
  events nofx_private.new_event[],
  -- Tenants of which this call claims no further step (see take_sandboxes): their steps are in the queue.
  busy uuid[]
);
