-- What hosted Supabase has before the first migration: roles, schemas, the auth functions, Storage's tables.
-- Run once, by the superuser. PASSWORD is replaced by the stack's generated password.
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit password 'PASSWORD';
create role supabase_storage_admin login noinherit createrole password 'PASSWORD';
create role supabase_realtime_admin nologin noinherit;
create role postgres login nosuperuser createdb createrole replication bypassrls password 'PASSWORD';
grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
grant supabase_storage_admin, supabase_realtime_admin to postgres;

alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';

alter database postgres owner to postgres;
grant create on database postgres to postgres;
alter schema public owner to postgres;
grant usage on schema public to anon, authenticated, service_role;

create schema extensions;
grant usage on schema extensions to anon, authenticated, service_role, postgres;
create extension pg_stat_statements with schema extensions;
create extension pgcrypto with schema extensions;
alter role postgres set search_path = "$user", public, extensions;

create schema auth;
grant usage on schema auth to anon, authenticated, service_role, postgres;
create function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(nullif(current_setting('request.jwt.claim', true), ''), nullif(current_setting('request.jwt.claims', true), ''))::jsonb
$$;
create function auth.uid() returns uuid language sql stable as $$ select (auth.jwt() ->> 'sub')::uuid $$;
create function auth.role() returns text language sql stable as $$ select auth.jwt() ->> 'role' $$;
create function auth.email() returns text language sql stable as $$ select auth.jwt() ->> 'email' $$;

create schema storage authorization supabase_storage_admin;
grant usage on schema storage to anon, authenticated, service_role, postgres;
set role supabase_storage_admin;
create table storage.buckets (
  id text primary key,
  name text not null unique,
  owner uuid,
  public boolean not null default false,
  file_size_limit bigint,
  allowed_mime_types text[],
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create table storage.objects (
  id uuid primary key,
  bucket_id text not null references storage.buckets (id),
  name text not null,
  version uuid not null,
  size bigint not null,
  mime_type text not null,
  cache_control text not null,
  etag text not null,
  user_metadata jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_accessed_at timestamptz not null default now(),
  unique (bucket_id, name)
);
grant all on storage.buckets, storage.objects to service_role, postgres;
reset role;

-- Realtime: what it has in the database. Messages are kept for the moment only, so nothing is written while no socket is open: the
-- function is `send_disabled` then, which is never called, and `send` while there is one (supabase/local/src/realtime/listen.rs).
create schema realtime authorization supabase_realtime_admin;
grant usage on schema realtime to anon, authenticated, service_role, postgres;
set role supabase_realtime_admin;
create table realtime.messages (
  id uuid not null default gen_random_uuid(),
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  inserted_at timestamp not null default now(),
  primary key (id, inserted_at)
) partition by range (inserted_at);
create table realtime.messages_default partition of realtime.messages default;
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to anon, authenticated, service_role, postgres;
create function realtime.is_stand_in() returns boolean language sql immutable as $$ select true $$;
create function realtime.topic() returns text language sql stable as $$ select nullif(current_setting('realtime.topic', true), '') $$;
create function realtime.send_disabled(payload jsonb, event text, topic text, private boolean default true) returns void language plpgsql security definer as $$
declare
  v_id uuid := gen_random_uuid();
begin
  if not payload ? 'id' then
    payload := jsonb_set(payload, '{id}', to_jsonb(v_id));
  end if;
  insert into realtime.messages (id, topic, extension, payload, event, private) values (v_id, topic, 'broadcast', payload, event, private);
  perform pg_notify('realtime', v_id::text);
exception when others then
  raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end
$$;
reset role;
create publication supabase_realtime;

-- Vault: secrets by name. Here they are kept as they are; the real one encrypts them.
create schema vault;
grant usage on schema vault to postgres, service_role;
create table vault.secrets (
  id uuid primary key default gen_random_uuid(),
  name text unique,
  description text not null default '',
  secret text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create view vault.decrypted_secrets as
  select id, name, description, secret, secret as decrypted_secret, created_at, updated_at from vault.secrets;
grant select on vault.secrets, vault.decrypted_secrets to postgres;
create function vault.create_secret(new_secret text, new_name text default null, new_description text default '') returns uuid
language sql security definer set search_path = '' as $$
  insert into vault.secrets (secret, name, description) values (new_secret, new_name, new_description) returning id
$$;
create function vault.update_secret(secret_id uuid, new_secret text) returns void
language sql security definer set search_path = '' as $$
  update vault.secrets set secret = new_secret, updated_at = now() where id = secret_id
$$;
revoke execute on function vault.create_secret, vault.update_secret from public;
grant execute on function vault.create_secret, vault.update_secret to postgres, service_role;
