-- Calls of the function that executes steps (driver vercel-function): which work of a step was begun, for which attempt, and its answer.
-- No role reads it: only the functions below. Retention: a day (prune_requests).
create table nofx_private.function_call (
  step_id uuid not null references nofx.step (id) on delete cascade,
  -- sha256:<hex> of the work.
  work_hash text not null,
  -- Names the execution that may answer.
  execution uuid not null,
  -- The attempt that called last, and its lease.
  attempt int not null,
  token uuid not null,
  begun_at timestamptz not null default now(),
  -- Until then it may be executing; after that the function has ended, with or without an answer.
  ends_at timestamptz not null,
  answer jsonb,
  primary key (step_id, work_hash)
);
create index function_call_begun on nofx_private.function_call (begun_at);

-- The requests that were received, so that none is received twice: each is valid for a minute.
create table nofx_private.function_nonce (
  nonce uuid primary key,
  received_at timestamptz not null default now()
);
create index function_nonce_received on nofx_private.function_nonce (received_at);

-- Deletes the calls of yesterday, and requests that are no longer valid.
-- Takes: nothing.
-- Locks: the rows it deletes.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.prune_function_calls()
returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from nofx_private.function_call where begun_at < now() - interval '24 hours';
  delete from nofx_private.function_nonce where received_at < now() - interval '10 minutes';
end
$$;
