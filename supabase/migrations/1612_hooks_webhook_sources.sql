create type nofx.webhook_provider as enum ('github', 'slack', 'standard', 'supabase_auth', 'supabase_database', 'vercel');

-- A sender of webhooks to a tenant. Its id is part of the URL.
create table nofx.webhook_source (
  id uuid primary key,
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  name text not null check (name ~ '^[A-Za-z0-9_.-]{1,80}$'),
  provider nofx.webhook_provider not null,
  -- Sealed, newest first; all are valid, so that the sender can rotate.
  secrets text[] not null check (
    cardinality(secrets) between 1 and 2 and nofx_private.is_sealed(secrets[1]) and (cardinality(secrets) < 2 or nofx_private.is_sealed(secrets[2]))),
  created_by text not null,
  created_at timestamptz not null default now(),
  unique (tenant_id, name)
);

-- Received webhooks, for 90 days: a duplicate is ignored. GitHub and Vercel sign no time, so what was received is all that tells a replay.
create table nofx.webhook_receipt (
  -- Kept when the source is deleted: whoever sends what it received to another source of the tenant with the same secret replays it.
  source_id uuid not null,
  -- The sender's id of the webhook, or a digest of its content.
  dedup_key text not null,
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  received_at timestamptz not null default now(),
  primary key (source_id, dedup_key)
);
create index webhook_receipt_of_tenant on nofx.webhook_receipt (tenant_id, dedup_key);
create index webhook_receipt_oldest on nofx.webhook_receipt (received_at);

-- Webhooks of the GitHub App that ran gates again, for 90 days: they belong to no tenant. Named by the digest of what is signed.
create table nofx_private.github_receipt (
  digest text primary key,
  received_at timestamptz not null default now()
);
create index github_receipt_oldest on nofx_private.github_receipt (received_at);

select nofx_private.secure_table('nofx.webhook_source', p_min_role => 'supervisor', p_service => false,
  p_columns => '{id, tenant_id, name, provider, created_by, created_at}');
select nofx_private.secure_table('nofx.webhook_receipt', p_min_role => 'supervisor', p_service => false);

-- Creates a webhook source, or changes the one of that name.
-- Takes: p_name; p_provider; p_secret, which the API has checked and sealed, added before the last one, which stays valid.
-- Locks: the source.
-- Returns: {id, name, provider, created_by, created_at}.
-- Raises: 403 forbidden when the caller is not an admin; 422 invalid-hook.
create function nofx.set_webhook_source(p_name text, p_provider nofx.webhook_provider, p_secret text)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
  v_source nofx.webhook_source;
begin
  if not nofx_private.is_sealed(p_secret) then
    perform nofx_private.refuse(422, 'invalid-hook', 'secret', 'Set the secret that the sender signs with; it is stored sealed only.');
  end if;
  begin
    insert into nofx.webhook_source as s (id, tenant_id, name, provider, secrets, created_by)
    values (nofx_private.uuid_v7(), v_tenant, p_name, p_provider, array[p_secret], nofx_private.caller_name())
    on conflict (tenant_id, name) do update set provider = excluded.provider, secrets = (excluded.secrets || s.secrets)[1:2]
    returning * into v_source;
  exception when check_violation then
    perform nofx_private.refuse(422, 'invalid-hook', p_name, 'A name has 1 to 80 letters, digits, `_`, `.` or `-`.');
  end;
  perform nofx_private.audit(v_tenant, 'webhook_source.set', p_name, null, jsonb_build_object('provider', p_provider));
  return json_build_object('id', v_source.id, 'name', v_source.name, 'provider', v_source.provider, 'created_by', v_source.created_by,
    'created_at', v_source.created_at);
end
$$;
grant execute on function nofx.set_webhook_source(text, nofx.webhook_provider, text) to nofx_api;

-- Deletes a webhook source: its webhooks are refused from now on. Its receipts stay, so that another source takes no replays of them.
-- Takes: p_id.
-- Locks: the source.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller is not an admin; 404 webhook-source-not-found.
create function nofx.delete_webhook_source(p_id uuid)
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
begin
  delete from nofx.webhook_source where id = p_id and tenant_id = v_tenant;
  if not found then
    perform nofx_private.refuse(404, 'webhook-source-not-found', p_id::text, 'List webhook sources with GET /api/hooks/sources.');
  end if;
  perform nofx_private.audit(v_tenant, 'webhook_source.deleted', p_id::text, null, null);
end
$$;
grant execute on function nofx.delete_webhook_source(uuid) to nofx_api;

-- Returns a webhook source's provider and sealed secrets, for verifying signatures.
-- Takes: p_id.
-- Locks: nothing.
-- Returns: {tenant_id, name, provider, secrets}; null for an unknown source.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.find_webhook_source(p_id uuid)
returns json
language plpgsql
stable
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('webhook', 'Only the API receives webhooks.');
  return (select json_build_object('tenant_id', tenant_id, 'name', name, 'provider', provider, 'secrets', secrets) from nofx.webhook_source where id = p_id);
end
$$;
grant execute on function nofx.find_webhook_source(uuid) to service_role;

-- Records a received webhook, once, as the event webhook.received.
-- Takes: p_source, whose signature was verified; p_dedup_key, the sender's id of the webhook; p_kind, the sender's type; p_body, JSON.
-- Locks: nothing.
-- Returns: true when it is new, false for a duplicate: of the same source, or of one of the tenant that is deleted.
-- Raises: 403 forbidden when the caller is not the service role; 404 webhook-source-not-found.
create function nofx.receive_webhook(p_source uuid, p_dedup_key text, p_kind text, p_body jsonb)
returns boolean
language plpgsql
security definer set search_path = ''
as $$
declare
  v_source nofx.webhook_source;
begin
  perform nofx_private.require_service('webhook', 'Only the API receives webhooks.');
  select * into v_source from nofx.webhook_source where id = p_source;
  if not found then
    perform nofx_private.refuse(404, 'webhook-source-not-found', p_source::text, 'List webhook sources with GET /api/hooks/sources.');
  end if;
  if exists (
    select from nofx.webhook_receipt r
     where r.tenant_id = v_source.tenant_id and r.dedup_key = left(p_dedup_key, 200)
       and not exists (select from nofx.webhook_source s where s.id = r.source_id)) then
    return false;
  end if;
  insert into nofx.webhook_receipt (source_id, dedup_key, tenant_id) values (p_source, left(p_dedup_key, 200), v_source.tenant_id) on conflict do nothing;
  if not found then
    return false;
  end if;
  insert into nofx.event (tenant_id, type, data)
  values (v_source.tenant_id, 'webhook.received', jsonb_build_object('source_id', p_source, 'source', v_source.name, 'provider', v_source.provider,
    'id', left(p_dedup_key, 200), 'kind', left(p_kind, 200), 'body', p_body));
  return true;
end
$$;
grant execute on function nofx.receive_webhook(uuid, text, text, jsonb) to service_role;

-- Records a webhook of the GitHub App, once.
-- Takes: p_digest, of its body, which alone is signed.
-- Locks: nothing.
-- Returns: true when it is new, false for a replay.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.receive_github_webhook(p_digest text)
returns boolean
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('webhook', 'Only the API receives webhooks.');
  insert into nofx_private.github_receipt (digest) values (left(p_digest, 200)) on conflict do nothing;
  return found;
end
$$;
grant execute on function nofx.receive_github_webhook(text) to service_role;

-- Forgets a webhook of the GitHub App that could not be carried out: it may be delivered again.
-- Takes: p_digest.
-- Locks: its row.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.release_github_webhook(p_digest text)
returns void
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('webhook', 'Only the API receives webhooks.');
  delete from nofx_private.github_receipt where digest = left(p_digest, 200);
end
$$;
grant execute on function nofx.release_github_webhook(text) to service_role;

-- Prunes deliveries that ended 30 days ago, unless their tenant is under a legal hold, and webhook receipts: after 90 days those
-- of senders that sign no time and of deleted sources, after a day the others. A signature with a time is refused after five minutes, and what is deduplicated by its
-- content may come again.
-- Takes: nothing.
-- Locks: the rows that it deletes.
-- Returns: how many were deleted.
-- Raises: nothing.
create function nofx_private.prune_deliveries()
returns int
language plpgsql
set search_path = ''
as $$
declare
  v_receipts int;
  v_deliveries int;
begin
  delete from nofx.webhook_receipt r
   where r.received_at < now() - interval '1 day'
     and (r.received_at < now() - interval '90 days'
          or exists (select from nofx.webhook_source s where s.id = r.source_id and s.provider not in ('github', 'vercel')));
  get diagnostics v_receipts = row_count;
  delete from nofx_private.github_receipt where received_at < now() - interval '90 days';
  delete from nofx.hook_delivery where ended_at < now() - interval '30 days' and not nofx_private.is_held(tenant_id, null);
  get diagnostics v_deliveries = row_count;
  return v_receipts + v_deliveries;
end
$$;
