-- A model call: its reservation, provider, response and cost. Responses are stored with their run, so that the same request is
-- replayed, not paid twice.
create table nofx.model_call (
  id uuid primary key,
  tenant_id uuid not null,
  run_id uuid not null references nofx.run (id) on delete cascade,
  step_id uuid not null references nofx.step (id) on delete cascade,
  attempt int not null,
  -- Digest of the request and its parameters.
  request_hash text not null,
  task text not null,
  status text not null default 'reserved' check (status in ('reserved', 'succeeded', 'failed')),
  reserved_usd numeric(14, 6) not null default 0,
  reserved_tokens bigint not null default 0,
  provider text,
  model text,
  input_tokens bigint,
  -- Of the input, read from the provider's cache.
  cached_tokens bigint,
  output_tokens bigint,
  -- Of the output, used for reasoning.
  reasoning_tokens bigint,
  -- Null: the model has no price.
  cost_usd numeric(14, 6),
  latency_ms int,
  -- Models that were tried before, and why they failed.
  fallbacks jsonb not null default '[]',
  response text,
  error text,
  requested_at timestamptz not null default now(),
  responded_at timestamptz
);
-- Of all statuses: the calls of a run are deleted with it.
create index model_call_same on nofx.model_call (run_id, request_hash);
create index model_call_of_step on nofx.model_call (step_id);
create index model_call_newest on nofx.model_call (tenant_id, requested_at desc);

-- What calls cost that were deleted before their run: the budget of a run that is retried counts them.
create table nofx_private.pruned_spending (
  run_id uuid primary key references nofx.run (id) on delete cascade,
  tenant_id uuid not null,
  usd numeric(14, 6) not null,
  tokens bigint not null
);

-- A tenant's settings for models: {order: {codegen: ["openai/…", …], …}, budget: {run_usd, run_tokens, day_usd, day_tokens}}.
create table nofx.model_settings (
  tenant_id uuid primary key references nofx.tenant (id) on delete cascade,
  "order" jsonb not null default '{}',
  budget jsonb not null default '{}',
  changed_by text not null,
  changed_at timestamptz not null default now()
);

select nofx_private.secure_table('nofx.model_call');
select nofx_private.secure_table('nofx.model_settings');
