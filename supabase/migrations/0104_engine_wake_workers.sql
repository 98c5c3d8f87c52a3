-- Workers that wait to be woken. NOTIFY serialises commits, so it is skipped while all workers are busy: each settle claims anyway.
create table nofx_private.listener (
  pid int primary key
);

-- Wakes the listening workers when this transaction commits. `nofx.woke_workers` records it for the transaction (see settle_steps).
-- Takes: nothing.
-- Locks: the advisory lock 'nofx_step_ready', shared, until the transaction ends; start_listening waits for it.
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
    -- A separate statement: it must see workers that registered before the lock was free.
    if not exists (select from nofx_private.listener) then
      return;
    end if;
  end if;
  perform pg_notify('nofx_step_ready', '');
end
$$;

-- Registers the session as a listener. It receives every later wake-up; all earlier ones have committed when it returns, so that
-- one claim afterwards finds their steps.
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
  -- Closed sessions do not unregister.
  delete from nofx_private.listener where pid not in (select a.pid from pg_stat_activity a);
  insert into nofx_private.listener (pid) values (pg_backend_pid()) on conflict (pid) do nothing;
end
$$;

-- Unregisters the session: a busy worker needs no wake-ups.
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
