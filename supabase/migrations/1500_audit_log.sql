-- The audit log: changes of data and rights, with their actors. No role can change or delete rows; each carries the hash of the
-- previous one, so that a changed or removed row is detected (`nofx audit verify`).
create table nofx.audit_log (
  tenant_id uuid not null,
  -- 1, 2, 3, … within the tenant.
  seq bigint not null,
  id uuid not null unique,
  actor text not null,
  action text not null,
  -- The object of the action: a table, a run, a gate, …
  target text not null,
  run_id uuid,
  step_id uuid,
  request_id text,
  -- The client's address.
  address text,
  -- sha256 of the payload as text, null without one: the chain covers the payload too, sealed or not.
  payload_hash text,
  created_at timestamptz not null default now(),
  -- sha256 over the previous hash and this row: see audit_hash. The first builds on 64 zeros.
  hash text not null,
  primary key (tenant_id, seq)
);

-- States before and after an action: {before, after}. In a table of its own, so that deleting one leaves the chain intact. Plain text never
-- rests: a payload is sealed by the statement that writes it, with a key that the API or a worker made for this one call (seal_payload).
create table nofx.audit_payload (
  audit_id uuid primary key references nofx.audit_log (id),
  tenant_id uuid not null,
  -- Base64 of initialisation vector, ciphertext and authentication code.
  sealed text not null,
  -- The key that wraps the payload's key, and base64 of the wrapped one. Key rotation changes only these two.
  key_id text not null,
  wrapped_key text not null
);
create index audit_payload_of_key on nofx.audit_payload (key_id);

-- The head of each tenant's chain.
create table nofx_private.audit_head (
  tenant_id uuid primary key,
  seq bigint not null,
  hash text not null
);

select nofx_private.secure_table('nofx.audit_log', p_min_role => 'supervisor');
select nofx_private.secure_table('nofx.audit_payload', p_min_role => 'supervisor');

-- Refuses changes of the audit log.
-- Takes: a statement trigger.
-- Locks: nothing.
-- Returns: never.
-- Raises: 403 append-only.
create function nofx_private.refuse_audit_change()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform nofx_private.refuse(403, 'append-only', 'nofx.audit_log', 'Rows cannot be changed; add a row that corrects the earlier one.');
  return null;
end
$$;
create trigger refuse_change before update or delete or truncate on nofx.audit_log
  for each statement execute function nofx_private.refuse_audit_change();

-- Hashes a row of the audit log: sha256 over the previous hash and the row's columns in the table's order, each as its length in
-- bytes, a colon and its text (`-` alone for null; times as microseconds since 1970).
-- Takes: p_before, the hash of the previous row; p_row, whose hash is not read.
-- Locks: nothing.
-- Returns: the hash in hex.
-- Raises: nothing.
create function nofx_private.audit_hash(p_before text, p_row nofx.audit_log)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return (
    select encode(sha256(convert_to(string_agg(coalesce(octet_length(field) || ':' || field, '-'), '' order by ordinal), 'UTF8')), 'hex')
      from unnest(array[
        p_before, p_row.tenant_id::text, p_row.seq::text, p_row.id::text, p_row.actor, p_row.action, p_row.target, p_row.run_id::text,
        p_row.step_id::text, p_row.request_id, p_row.address, p_row.payload_hash,
        (extract(epoch from p_row.created_at) * 1000000)::bigint::text
      ]) with ordinality as named (field, ordinal));
end
$$;

-- Locks the head of a tenant's audit log. Functions that lock other rows too call it first, so that all lock in the same order.
-- Takes: p_tenant.
-- Locks: the tenant's audit_head.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.lock_audit(p_tenant uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into nofx_private.audit_head (tenant_id, seq, hash) values (p_tenant, 0, repeat('0', 64)) on conflict (tenant_id) do nothing;
  perform 1 from nofx_private.audit_head where tenant_id = p_tenant for update;
end
$$;

-- Seals a payload with the key of this call: header X-Nofx-Audit-Key, `<id>.<wrapped key>.<key>`, where <id> names the key of the deployment
-- that wraps it. Only the wrapped one is stored. AES-256-CBC, then HMAC-SHA256 over the row's id, vector and ciphertext; both keys derive
-- from the one of the call.
-- Takes: p_id, the row of the audit log, which alone it can be opened for; p_tenant; p_payload.
-- Locks: nothing.
-- Returns: the row to store.
-- Raises: 403 forbidden when the call brought no key: nothing is stored in plain text.
create function nofx_private.seal_payload(p_id uuid, p_tenant uuid, p_payload text)
returns nofx.audit_payload
language plpgsql
set search_path = ''
as $$
declare
  v_parts text[] := regexp_match(nullif(current_setting('request.headers', true), '')::json ->> 'x-nofx-audit-key',
    '^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9+/]{40,200}={0,2})\.([A-Za-z0-9+/]{43}=)$');
  v_key bytea;
  v_vector bytea := extensions.gen_random_bytes(16);
  v_sealed bytea;
begin
  if v_parts is null then
    perform nofx_private.refuse(403, 'forbidden', 'x-nofx-audit-key',
      'What this changes is recorded sealed: call it through the API or a worker, which send a key with each call.');
  end if;
  v_key := decode(v_parts[3], 'base64');
  v_sealed := uuid_send(p_id) || v_vector || extensions.encrypt_iv(convert_to(p_payload, 'UTF8'),
    extensions.hmac('encrypt'::bytea, v_key, 'sha256'), v_vector, 'aes-cbc/pad:pkcs');
  v_sealed := substr(v_sealed, 17) || extensions.hmac(v_sealed, extensions.hmac('authenticate'::bytea, v_key, 'sha256'), 'sha256');
  return row (p_id, p_tenant, translate(encode(v_sealed, 'base64'), E'\n', ''), v_parts[1], v_parts[2])::nofx.audit_payload;
end
$$;

-- Appends to the audit log, in the transaction of the action. Actor, request and address are the caller's.
-- Takes: p_tenant; p_action, `<noun>.<past participle>`; p_target, its object; p_before and p_after, null for none; p_run, p_step;
--   p_actor, in place of the caller.
-- Locks: the tenant's audit_head, until the transaction ends.
-- Returns: nothing.
-- Raises: 403 forbidden when there is a payload and the call brought no key to seal it with.
create function nofx_private.audit(
  p_tenant uuid, p_action text, p_target text, p_before jsonb, p_after jsonb,
  p_run uuid default null, p_step uuid default null, p_actor text default null
)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_headers jsonb := nullif(current_setting('request.headers', true), '')::jsonb;
  v_head nofx_private.audit_head;
  v_payload text;
  v_row nofx.audit_log;
begin
  perform nofx_private.lock_audit(p_tenant);
  select * into v_head from nofx_private.audit_head where tenant_id = p_tenant;
  if p_before is not null or p_after is not null then
    v_payload := jsonb_strip_nulls(jsonb_build_object('before', p_before, 'after', p_after))::text;
  end if;
  v_row.tenant_id := p_tenant;
  v_row.seq := v_head.seq + 1;
  v_row.id := nofx_private.uuid_v7();
  v_row.actor := coalesce(p_actor, nofx_private.caller_name());
  v_row.action := p_action;
  v_row.target := p_target;
  v_row.run_id := p_run;
  v_row.step_id := p_step;
  v_row.request_id := left(v_headers ->> 'x-request-id', 200);
  v_row.address := left(v_headers ->> 'x-nofx-address', 100);
  v_row.payload_hash := encode(sha256(convert_to(v_payload, 'UTF8')), 'hex');
  v_row.created_at := now();
  v_row.hash := nofx_private.audit_hash(v_head.hash, v_row);
  insert into nofx.audit_log select v_row.*;
  if v_payload is not null then
    insert into nofx.audit_payload select (nofx_private.seal_payload(v_row.id, p_tenant, v_payload)).*;
  end if;
  update nofx_private.audit_head set seq = v_row.seq, hash = v_row.hash where tenant_id = p_tenant;
end
$$;
