-- The live log of a running step, secrets masked, in chunks: the newest 4 MiB of each attempt. The log is an artifact once the attempt has
-- finished; chunks are deleted after a day.
create table nofx.step_log (
  step_id uuid not null references nofx.step (id) on delete cascade,
  tenant_id uuid not null,
  attempt int not null,
  -- Offset of the chunk in the attempt's output, in bytes. Where it is larger than the end of the chunk before, output was left out.
  at_byte bigint not null check (at_byte >= 0),
  text text not null check (octet_length(text) between 1 and 524288),
  created_at timestamptz not null default now(),
  primary key (step_id, attempt, at_byte)
);
create index step_log_oldest on nofx.step_log (created_at);
select nofx_private.secure_table('nofx.step_log');

-- Appends a chunk to a step's live log, and deletes those that end more than 4 MiB before its end.
-- Takes: p_step and p_token, the step and its lease; p_at_byte, the chunk's offset; p_text.
-- Locks: the chunks of the attempt that are deleted.
-- Returns: whether it was stored: false when the lease has expired or a chunk has this offset.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.append_log(p_step uuid, p_token uuid, p_at_byte bigint, p_text text)
returns boolean
language plpgsql
security definer set search_path = ''
as $$
declare
  v_attempt int;
begin
  perform nofx_private.require_service(p_step::text, 'Only workers write logs.');
  insert into nofx.step_log (step_id, tenant_id, attempt, at_byte, text)
  select s.id, s.tenant_id, s.attempt, p_at_byte, p_text from nofx.step s where s.id = p_step and s.lease_token = p_token
  on conflict do nothing
  returning attempt into v_attempt;
  if v_attempt is null then
    return false;
  end if;
  delete from nofx.step_log l
   where l.step_id = p_step and l.attempt = v_attempt
     and l.at_byte + octet_length(l.text) < p_at_byte + octet_length(p_text) - 4194304;
  return true;
end
$$;
grant execute on function nofx.append_log(uuid, uuid, bigint, text) to service_role;

-- Prunes chunks of logs that are older than a day.
-- Takes: nothing.
-- Locks: the chunks.
-- Returns: how many were deleted.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.prune_logs()
returns int
language plpgsql
security definer set search_path = ''
as $$
declare
  v_count int;
begin
  perform nofx_private.require_service('logs', 'Only workers prune logs.');
  delete from nofx.step_log where created_at < now() - interval '1 day';
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
grant execute on function nofx.prune_logs() to service_role;
