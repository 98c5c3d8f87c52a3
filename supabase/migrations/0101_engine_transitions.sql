-- Every allowed change of status; a trigger refuses all others.
create table nofx.transition (
  machine text not null check (machine in ('run', 'step')),
  source text not null,
  target text not null,
  reason text not null,
  primary key (machine, source, target)
);
alter table nofx.transition enable row level security;
alter table nofx.transition force row level security;
create policy readable on nofx.transition for select to nofx_api using (true);
grant select on nofx.transition to nofx_api, service_role;

insert into nofx.transition (machine, source, target, reason) values
  ('run', 'queued', 'running', 'its first step was claimed'),
  ('run', 'queued', 'paused', 'paused before it began'),
  ('run', 'queued', 'cancelled', 'cancelled before it began'),
  ('run', 'queued', 'succeeded', 'it had nothing to do'),
  ('run', 'queued', 'failed', 'it failed before a step was claimed'),
  ('run', 'running', 'paused', 'paused'),
  ('run', 'running', 'cancelling', 'cancelled while steps run'),
  ('run', 'running', 'cancelled', 'cancelled while no step runs'),
  ('run', 'running', 'succeeded', 'all steps have finished'),
  ('run', 'running', 'failed', 'all steps have finished and one failed permanently'),
  ('run', 'paused', 'running', 'resumed'),
  ('run', 'paused', 'cancelling', 'cancelled while steps run'),
  ('run', 'paused', 'cancelled', 'cancelled while no step runs'),
  ('run', 'paused', 'succeeded', 'its last running step finished while paused'),
  ('run', 'paused', 'failed', 'its last running step finished while paused'),
  ('run', 'cancelling', 'cancelled', 'the last running step finished'),
  ('run', 'failed', 'running', 'retried'),
  ('step', 'pending', 'ready', 'its needs have finished'),
  ('step', 'pending', 'running', 'its needs have finished and the worker that settled the last one claimed it'),
  ('step', 'pending', 'skipped', 'a step that it needs failed, or the run failed'),
  ('step', 'pending', 'cancelled', 'the run was cancelled'),
  ('step', 'ready', 'running', 'claimed'),
  ('step', 'ready', 'pending', 'the run was paused'),
  ('step', 'ready', 'skipped', 'the run failed'),
  ('step', 'ready', 'cancelled', 'the run was cancelled'),
  ('step', 'running', 'succeeded', 'done'),
  ('step', 'running', 'failed', 'failed and no attempt is left'),
  ('step', 'running', 'timed_out', 'ran out of time and no attempt is left'),
  ('step', 'running', 'cancelled', 'the run was cancelled'),
  ('step', 'running', 'skipped', 'its condition is false'),
  ('step', 'running', 'waiting', 'parked on a gate, a timer or its children'),
  ('step', 'running', 'ready', 'its lease expired, or its worker shut down'),
  ('step', 'running', 'pending', 'its lease expired while the run is paused'),
  ('step', 'waiting', 'ready', 'decided, due, or its children have finished'),
  ('step', 'waiting', 'running', 'its children have finished and the worker that settled the last one claimed it'),
  ('step', 'waiting', 'pending', 'decided or due while the run is paused'),
  ('step', 'waiting', 'skipped', 'the run failed'),
  ('step', 'waiting', 'cancelled', 'the run was cancelled'),
  ('step', 'failed', 'ready', 'retried'),
  ('step', 'failed', 'pending', 'retried, but something it needs is retried too'),
  ('step', 'failed', 'waiting', 'retried by retrying its children'),
  ('step', 'timed_out', 'ready', 'retried'),
  ('step', 'timed_out', 'pending', 'retried, but something it needs is retried too'),
  ('step', 'timed_out', 'waiting', 'retried by retrying its children'),
  ('step', 'skipped', 'pending', 'the step that blocked it is retried'),
  ('step', 'skipped', 'ready', 'retried'),
  ('step', 'skipped', 'waiting', 'retried by retrying its children'),
  ('step', 'succeeded', 'ready', 'retried by name'),
  ('step', 'succeeded', 'pending', 'something it needs is retried'),
  ('step', 'succeeded', 'waiting', 'retried by retrying its children');

-- Generates nofx_private.check_run_transition and check_step_transition from the list: a trigger with the list inlined costs a
-- fifth of one that reads the table for each row.
-- Takes: a row trigger; fires for changes of status only.
-- Locks: nothing.
-- Returns: the new row.
-- Raises: 409 illegal-transition.
do $$
declare
  v_machine text;
  v_allowed text;
begin
  foreach v_machine in array array['run', 'step'] loop
    select string_agg(format('when %L then new.status in (%s)', source, targets), ' ') into v_allowed
      from (select source, string_agg(quote_literal(target), ', ' order by target) as targets
              from nofx.transition where machine = v_machine group by source) as allowed;
    execute format($function$
      create function nofx_private.check_%1$s_transition()
      returns trigger
      language plpgsql
      set search_path = ''
      as $body$
      begin
        if not (case old.status %2$s else false end) then
          perform nofx_private.refuse(409, 'illegal-transition', format('%1$s %%s: %%s → %%s', new.id, old.status, new.status),
            'Only the transitions listed in nofx.transition are allowed.');
        end if;
        return new;
      end
      $body$;
      create trigger check_transition before update on nofx.%1$I
        for each row when (old.status is distinct from new.status)
        execute function nofx_private.check_%1$s_transition();
      $function$, v_machine, v_allowed);
  end loop;
end
$$;
