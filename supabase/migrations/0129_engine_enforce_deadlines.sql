-- Cancels runs whose deadline has passed: first one of each tenant, then the second; as many as have 10,000 open steps or little more.
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
  v_runs := array(
    select c.id
      from (select d.id, d.turn, d.deadline_at, sum(d.open_steps) over (order by d.turn, d.deadline_at, d.id) - d.open_steps as steps_before
              from (select r.id, r.open_steps, r.deadline_at, row_number() over (partition by r.tenant_id order by r.deadline_at, r.id) as turn
                      from nofx.run r
                     where r.deadline_at <= now() and r.deadline_at is not null and r.ended_at is null and r.status <> 'cancelling') as d
           ) as c
     where c.steps_before < 10000
     order by c.turn, c.deadline_at
     limit p_limit);
  if cardinality(v_runs) = 0 then
    return 0;
  end if;
  perform nofx_private.lock_runs(v_runs);
  return (select count(nofx_private.stop_run(id, 'deadline', 'the deadline of the run passed'))
            from nofx.run where id = any (v_runs) and status in ('queued', 'running', 'paused'));
end
$$;
grant execute on function nofx.enforce_deadlines(int) to service_role;
