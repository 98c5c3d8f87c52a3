-- Cancels runs whose deadline has passed.
-- Takes: p_limit, how many at most.
-- Locks: the runs (lock_runs); their queue rows, steps, gates and rows.
-- Returns: how many runs were cancelled.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.enforce_deadlines(p_limit int default 100)
returns int
language plpgsql
security definer set search_path = ''
as $$
declare
  v_runs uuid[];
begin
  perform nofx_private.require_service('deadline', 'Only workers enforce deadlines.');
  v_runs := array(select id from nofx.run
                   where deadline_at <= now() and deadline_at is not null and ended_at is null and status <> 'cancelling'
                   order by deadline_at limit p_limit);
  if cardinality(v_runs) = 0 then
    return 0;
  end if;
  perform nofx_private.lock_runs(v_runs);
  return (select count(nofx_private.stop_run(id, 'deadline', 'the deadline of the run passed'))
            from nofx.run where id = any (v_runs) and status in ('queued', 'running', 'paused'));
end
$$;
grant execute on function nofx.enforce_deadlines(int) to service_role;
