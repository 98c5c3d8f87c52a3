-- Sends probes to breakers that are due, and releases all steps whose breaker is closed or gone: their queue rows become timers
-- that are due.
-- Takes: nothing.
-- Locks: breakers that are due and queue rows, skipping those that others have locked.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.probe_breakers()
returns void
language plpgsql
set search_path = ''
as $$
begin
  if not exists (select from nofx.handler_health) and not exists (select from nofx.step_queue where state = 'breaker') then
    return;
  end if;
  with due as (
    select tenant_id, target, probes
      from nofx.handler_health
     where state <> 'closed' and probe_at <= now()
     order by tenant_id, target
       for update skip locked
  ), probing as (
    -- Probes without a result after half a minute are sent again.
    update nofx.handler_health h
       set state = 'half_open', succeeded = 0, failed = 0, probes_in_flight = 0, probe_at = now() + interval '30 seconds',
           changed_at = case when h.state = 'open' then now() else h.changed_at end
      from due d
     where h.tenant_id = d.tenant_id and h.target = d.target
  ), probe as (
    select turn.ctid
      from due d
     cross join lateral (
       -- Steps with the fewest attempts first.
       select b.ctid
         from nofx.step_queue b
         join nofx.step s on s.id = b.step_id
        where b.state = 'breaker' and b.tenant_id = d.tenant_id and b.breaker_target = d.target
        order by s.attempt, b.step_id
        limit d.probes
          for update of b skip locked
     ) as turn
  )
  update nofx.step_queue set state = 'timer', breaker_target = null, due_at = now() where ctid = any (array(select ctid from probe));

  update nofx.step_queue
     set state = 'timer', breaker_target = null, due_at = now()
   where ctid = any (array(
     select b.ctid
       from nofx.step_queue b
      where b.state = 'breaker'
        and not exists (
          select from nofx.handler_health h where h.tenant_id = b.tenant_id and h.target = b.breaker_target and h.state <> 'closed')
        for update skip locked));

  delete from nofx.handler_health
   where state = 'closed' and window_began_at < now() - make_interval(secs => 2 * window_s)
     and (window_s, min_volume, failure_rate, probes) = (60, 5, 0.5::real, 1);
end
$$;
