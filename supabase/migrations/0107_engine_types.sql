-- The outcome of one step, as a worker settles it. `write`: see apply_writes; `breaker_target`: the dependency that a failure counts
-- against, null for the tool; `ignored_by_breaker`: the failure does not count against any breaker. A worker only reports that it
-- interrupted a step; the run's status decides whether the step is cancelled or becomes ready, so that no step of a running run is
-- cancelled. (`cancelled` comes from apply_writes only.)
create type nofx_private.outcome_kind as enum
  ('done', 'write', 'skipped', 'failed', 'timed_out', 'cancelled', 'interrupted', 'gate', 'timer', 'children', 'breaker_open');
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
  ignored_by_breaker boolean
);

-- The return value of accept_outcomes; arrays that belong together are parallel.
create type nofx_private.accepted as (
  steps uuid[],
  tenants uuid[],
  -- Finished steps, and the run of each.
  ended uuid[],
  ended_runs uuid[],
  failed uuid[],
  -- Interrupted steps that are ready again.
  ready uuid[],
  -- for_each steps whose children must be spawned.
  parents uuid[],
  -- Steps parked on a timer, and when each timer is due.
  timed uuid[],
  due timestamptz[],
  -- Steps that wait for an open breaker, and its target.
  held_by_breaker uuid[],
  targets text[],
  -- Steps that failed with a transient error and have no attempts left.
  exhausted uuid[],
  -- Steps parked on a gate that must be created; its id is in gate_id.
  gated uuid[],
  events nofx_private.new_event[]
);

-- Steps that a call started, leased to its worker, and the events of it.
create type nofx_private.started as (
  steps uuid[],
  events nofx_private.new_event[]
);
