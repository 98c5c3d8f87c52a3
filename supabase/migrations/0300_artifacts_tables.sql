-- An artifact that a step saved. Its bytes are in Storage, bucket artifacts, at `blob`, named by their digest.
create table nofx.artifact (
  id uuid primary key,
  tenant_id uuid not null,
  run_id uuid not null references nofx.run (id) on delete cascade,
  step_id uuid not null references nofx.step (id) on delete cascade,
  name text not null check (length(name) between 1 and 200),
  -- Its media type (RFC 6838).
  type text not null,
  -- runs/<run>/steps/<step>/[<attempt>/]<name>, percent-encoded: a relative reference (RFC 3986, 4.2) that is unique in the tenant.
  uri text not null,
  blob text not null,
  size_bytes bigint not null check (size_bytes >= 0),
  -- The digest of its bytes.
  hash text not null check (hash ~ '^sha256:[0-9a-f]{64}$'),
  attempt int not null,
  created_at timestamptz not null default now(),
  unique (tenant_id, uri)
);
create index artifact_of_run on nofx.artifact (run_id, created_at);
create index artifact_oldest on nofx.artifact (tenant_id, created_at, id);
create index artifact_of_step on nofx.artifact (step_id);
create index artifact_with_blob on nofx.artifact (blob);

-- An attestation (in-toto, DSSE): the provenance of an artifact, the result of a gate, an approval.
create table nofx.attestation (
  id uuid primary key,
  tenant_id uuid not null,
  run_id uuid not null references nofx.run (id) on delete cascade,
  step_id uuid not null references nofx.step (id) on delete cascade,
  -- The artifact that it was recorded with, and is deleted with.
  artifact_id uuid references nofx.artifact (id) on delete cascade,
  predicate_type text not null,
  -- Digests of its subjects: `sha256:…`, `gitTree:…`.
  subjects text[] not null,
  key_id text not null,
  envelope jsonb not null,
  -- Increases also within one transaction.
  created_at timestamptz not null default clock_timestamp()
);
create index attestation_of_artifact on nofx.attestation (artifact_id);
create index attestation_of_step on nofx.attestation (step_id);
create index attestation_of_run on nofx.attestation (run_id);

-- "The step used the artifact", whose run may be another.
create table nofx.artifact_use (
  tenant_id uuid not null,
  run_id uuid not null references nofx.run (id) on delete cascade,
  step_id uuid not null references nofx.step (id) on delete cascade,
  artifact_id uuid not null references nofx.artifact (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (step_id, artifact_id)
);
create index use_of_artifact on nofx.artifact_use (artifact_id);
create index use_of_run on nofx.artifact_use (run_id);

select nofx_private.secure_table('nofx.artifact');
select nofx_private.secure_table('nofx.attestation');
select nofx_private.secure_table('nofx.artifact_use');

-- Public keys of signers, stored forever, so that old attestations can be verified.
create table nofx.signing_key (
  key_id text primary key check (key_id ~ '^sha256:[0-9a-f]{64}$'),
  -- A JSON Web Key.
  key jsonb not null,
  created_at timestamptz not null default now()
);
alter table nofx.signing_key enable row level security;
alter table nofx.signing_key force row level security;
create policy by_the_api on nofx.signing_key for select to nofx_api using (false);
grant select on nofx.signing_key to service_role;
