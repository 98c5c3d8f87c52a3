-- API keys. Only the hash of a key is stored; the key itself is shown once, when it is created.
create table nofx.api_key (
  id uuid primary key,
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  name text not null check (length(name) between 1 and 200),
  role nofx.person_role not null,
  hash text not null unique,
  -- The first characters of the key, so that people can tell keys apart.
  prefix text not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  -- Which parts of the API it may use (the first word of a path below /api); null for all.
  scopes text[],
  last_used_at timestamptz
);
create index api_key_of_tenant on nofx.api_key (tenant_id, created_at desc);

-- The hash is for resolve_api_key alone.
select nofx_private.secure_table('nofx.api_key', p_min_role => 'admin', p_service => false,
  p_columns => '{id, tenant_id, name, role, prefix, created_by, created_at, expires_at, revoked_at, scopes, last_used_at}');

-- Responses to requests with an Idempotency-Key, stored for 24 hours.
create table nofx.idempotency_key (
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  route text not null,
  key text not null check (length(key) between 1 and 255),
  -- Who began the request: nobody else gets its answer, or gives it.
  caller text not null,
  request_hash text not null,
  -- The id of the resource that the request creates: a retry after a crash creates the same one.
  resource_id uuid not null,
  status int,
  body jsonb,
  locked_until timestamptz not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, route, key)
);
create index idempotency_key_oldest on nofx.idempotency_key (created_at);

alter table nofx.idempotency_key enable row level security;
alter table nofx.idempotency_key force row level security;
create policy nobody on nofx.idempotency_key for select to nofx_api using (false);
