-- Applies `on_failure` of failed steps: the run fails and starts no new steps, or the dependants are skipped.
-- A gate or manual step always blocks its dependants; the failure of a child is left to its for_each step.
-- Takes: p_failed, steps in status failed or timed_out; the locks of their runs must be held.
-- Locks: the queue rows, steps and gates that it skips or cancels.
-- Returns: the skipped steps, with their runs.
-- Raises: nothing.
create function nofx_private.block_dependants(p_failed uuid[])
returns table (step_id uuid, run_id uuid)
language plpgsql
set search_path = ''
as $$
declare
  v_doomed uuid[];
  v_blocked uuid[];
begin
  -- Runs that fail: no new steps start in them.
  with doomed as (
    select distinct on (s.run_id) s.run_id, s.id, s.name, s.error
      from nofx.step s
     where s.id = any (p_failed)
       and s.parent_id is null
       and (s.on_failure = 'fail' or s.on_failure = 'continue' and (s.tool like 'gate:%' or s.tool like 'manual:%'))
     order by s.run_id, s.ended_at
  ), marked as (
    update nofx.run r
       set error = jsonb_build_object('step', d.name, 'step_id', d.id, 'message', d.error ->> 'message')
      from doomed d
     where r.id = d.run_id and r.error is null
    returning r.id
  )
  select array_agg(distinct s.run_id) into v_doomed
    from nofx.step s
   where s.id = any (p_failed) and s.parent_id is null and s.on_failure = 'fail';

  -- Blocked: all steps of a failed run that are not running; and all dependants of a step with `skip` or of a gate.
  with recursive below as (
    select e.run_id, e.step_id, s.name as cause
      from nofx.step s
      join nofx.step_edge e on e.run_id = s.run_id and e.needs_id = s.id
     where s.id = any (p_failed)
       and s.parent_id is null
       and (s.on_failure = 'skip' or s.tool like 'gate:%' or s.tool like 'manual:%')
    union
    select e.run_id, e.step_id, b.cause
      from below b
      join nofx.step_edge e on e.run_id = b.run_id and e.needs_id = b.step_id
  ), chosen as (
    select s.id, 'blocked by ' || min(b.cause) as reason
      from below b
      join nofx.step s on s.id = b.step_id and s.status = 'pending'
     group by s.id
    union
    select s.id, 'the run failed'
      from nofx.step s
     where s.run_id = any (v_doomed) and s.status in ('pending', 'ready', 'waiting')
  ), single as (
    select id, min(reason) as reason from chosen group by id
  ), dequeued as (
    delete from nofx.step_queue d using single c where d.step_id = c.id
  ), cancelled as (
    update nofx.gate g
       set status = 'cancelled', decided_at = now(), reason = 'the run failed'
      from single c
     where g.step_id = c.id and g.status = 'pending'
  ), ended as (
    update nofx.step s
       set status = 'skipped', waits_for = null, ended_at = now(),
           error = jsonb_build_object('kind', 'blocked', 'message', c.reason)
      from single c
     -- A step that was claimed meanwhile keeps running, like any running sibling.
     where s.id = c.id and s.status in ('pending', 'ready', 'waiting')
    returning s.id, s.run_id, s.tenant_id, s.name, s.tool, c.reason
  ), emitted as (
    insert into nofx.event (tenant_id, run_id, step_id, type, data)
    select e.tenant_id, e.run_id, e.id, 'step.skipped', jsonb_build_object('name', e.name, 'tool', e.tool, 'reason', e.reason)
      from ended e
  )
  select array_agg(e.id) into v_blocked from ended e;

  return query select s.id, s.run_id from nofx.step s where s.id = any (v_blocked);
end
$$;
