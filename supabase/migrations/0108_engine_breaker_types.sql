-- The target of a breaker: a tool of a tenant, or an external dependency of its tools.
create type nofx_private.target as (
  tenant_id uuid,
  target text
);

-- Results of calls to a breaker's target.
create type nofx_private.result as (
  tenant_id uuid,
  target text,
  failed int,
  succeeded int,
  error text
);

-- The return value of record_results: breakers that are not closed, when the next probe is due, events to emit.
create type nofx_private.health as (
  open nofx_private.target[],
  due timestamptz,
  events nofx_private.new_event[]
);
