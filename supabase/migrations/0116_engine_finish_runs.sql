-- Counts finished steps, and finishes the runs that have no open steps left.
-- Takes: p_runs, one entry for each step that finished; the locks of the runs must be held.
-- Locks: the rows of the runs, in id order.
-- Returns: events to emit.
-- Raises: nothing.
create function nofx_private.finish_runs(p_runs uuid[])
returns nofx_private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_events nofx_private.new_event[];
begin
  -- A claim that starts runs locks their rows in id order too.
  perform 1 from nofx.run where id = any (p_runs) order by id for update;
  with ended as (
    select run.id, count(*)::int as n from unnest(p_runs) as run (id) group by run.id
  ), counted as (
    update nofx.run r
       set open_steps = r.open_steps - e.n,
           status = case
                      when r.open_steps > e.n then r.status
                      when r.status = 'cancelling' then 'cancelled'
                      when r.error is not null then 'failed'
                      else 'succeeded'
                    end::nofx.run_status,
           ended_at = case when r.open_steps > e.n then r.ended_at else now() end
      from ended e
     where r.id = e.id
    returning r.id, r.tenant_id, r.status, r.error, r.created_at, r.open_steps
  )
  select array_agg(row (c.tenant_id, c.id, null, 'run.' || c.status, jsonb_strip_nulls(jsonb_build_object(
           'error', c.error, 'duration_ms', round(extract(epoch from now() - c.created_at) * 1000))))::nofx_private.new_event)
    into v_events
    from counted c
   where c.open_steps = 0;
  return v_events;
end
$$;
