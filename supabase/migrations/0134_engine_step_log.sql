-- What a step's process prints while it runs, secrets masked, in pieces: for whoever watches. The whole log is an artifact once the
-- attempt is over; pieces are forgotten a day after.
create table nofx.step_log (
  step_id uuid not null references nofx.step (id) on delete cascade,
  tenant_id uuid not null,
  attempt int not null,
  -- Where the piece begins in the attempt's output, in bytes.
  at_byte bigint not null check (at_byte >= 0),
  text text not null check (octet_length(text) between 1 and 262144),
  created_at timestamptz not null default now(),
  primary key (step_id, attempt, at_byte)
);
create index step_log_oldest on nofx.step_log (created_at);
alter table nofx.step_log enable row level security;
alter table nofx.step_log force row level security;
create policy own_tenant on nofx.step_log for select to authenticated using (tenant_id = (select nofx_private.caller_tenant()));
grant select on nofx.step_log to authenticated, service_role;

-- Keeps the next piece of what a step prints.
-- Takes: p_step and p_token, the lease under which it runs; p_at_byte, where the piece begins; p_text.
-- Locks: nothing that others write.
-- Returns: whether it was kept: false when the lease was lost or the attempt has a mebibyte of pieces already.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.append_log(p_step uuid, p_token uuid, p_at_byte bigint, p_text text)
returns boolean
language plpgsql
security definer set search_path = ''
as $$
begin
  if not nofx_private.caller_is_service() then
    perform nofx_private.refuse(403, 'forbidden', p_step::text, 'Only workers write logs.');
  end if;
  if p_at_byte + octet_length(p_text) > 1048576 then
    return false;
  end if;
  insert into nofx.step_log (step_id, tenant_id, attempt, at_byte, text)
  select s.id, s.tenant_id, s.attempt, p_at_byte, p_text from nofx.step s where s.id = p_step and s.lease_token = p_token
  on conflict do nothing;
  return found;
end
$$;
grant execute on function nofx.append_log(uuid, uuid, bigint, text) to service_role;

-- Forgets pieces of logs that are older than a day.
-- Takes: nothing.
-- Locks: the pieces.
-- Returns: how many.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.prune_logs()
returns int
language plpgsql
security definer set search_path = ''
as $$
declare
  v_count int;
begin
  if not nofx_private.caller_is_service() then
    perform nofx_private.refuse(403, 'forbidden', 'logs', 'Only workers prune logs.');
  end if;
  delete from nofx.step_log where created_at < now() - interval '1 day';
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
grant execute on function nofx.prune_logs() to service_role;
