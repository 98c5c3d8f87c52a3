-- The workers that wait to be rung now. NOTIFY serialises commits, so nobody pays for it while all workers are at work:
-- each of their settles claims anyway.
create table nofx_private.listener (
  pid int primary key
);

-- Wakes the workers that wait, when this transaction commits; `nofx.woke_workers` tells the rest of the transaction (see settle_steps).
-- Takes: nothing.
-- Locks: the advisory lock 'nofx_step_ready', shared, until the transaction ends: whoever begins to wait lets it end first.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.wake_workers()
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform set_config('nofx.woke_workers', 'yes', true);
  if pg_try_advisory_xact_lock_shared(hashtextextended('nofx_step_ready', 0)) then
    -- A statement of its own: it must see who began to wait before the lock was free.
    if not exists (select from nofx_private.listener) then
      return;
    end if;
  end if;
  perform pg_notify('nofx_step_ready', '');
end
$$;

-- Begins to wait: from the return on every ring is heard, and all that was rung without being heard has committed, so that
-- one claim after it finds everything else.
-- Takes: nothing; the session listens to nofx_step_ready.
-- Locks: the advisory lock 'nofx_step_ready' until the transaction ends.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.start_listening()
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('nofx_step_ready', 0));
  -- Sessions that are gone did not say so.
  delete from nofx_private.listener where pid not in (select a.pid from pg_stat_activity a);
  insert into nofx_private.listener (pid) values (pg_backend_pid()) on conflict (pid) do nothing;
end
$$;

-- Waits no longer: there is so much to do that rings tell nothing.
-- Takes: nothing.
-- Locks: the session's row.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.stop_listening()
returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from nofx_private.listener where pid = pg_backend_pid();
end
$$;
