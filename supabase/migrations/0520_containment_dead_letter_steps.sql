-- Dead-letters failed steps, with their errors, inputs and artifacts.
-- Takes: p_steps, steps that just failed permanently, null for none; p_reason.
-- Locks: nothing.
-- Returns: how many were added.
-- Raises: nothing.
create function nofx_private.dead_letter_steps(p_steps uuid[], p_reason nofx.dlq_reason)
returns int
language plpgsql
set search_path = ''
as $$
declare
  v_count int := 0;
begin
  if p_steps is null then
    return 0;
  end if;
  with dead_lettered as (
    insert into nofx.step_dlq (id, tenant_id, run_id, step_id, name, tool, reason, attempts, error, inputs, evidence)
    select nofx_private.uuid_v7(), s.tenant_id, s.run_id, s.id, s.name, s.tool, p_reason,
           (select count(*) from nofx.step_attempt a where a.run_id = s.run_id and a.step_id = s.id), s.error,
           coalesce(s.spec -> 'inputs', '{}'),
           coalesce((select jsonb_agg(jsonb_build_object('id', a.id, 'name', a.name, 'uri', a.uri) order by a.id)
                       from nofx.artifact a where a.step_id = s.id), '[]')
      from nofx.step s
     where s.id = any (p_steps)
    on conflict (step_id) do nothing
    returning id, tenant_id, run_id, step_id, name, tool, reason
  ), emitted as (
    insert into nofx.event (tenant_id, run_id, step_id, type, data)
    select tenant_id, run_id, step_id, 'step.dead_lettered', jsonb_build_object('name', name, 'tool', tool, 'reason', reason, 'dlq_id', id) from dead_lettered
  )
  select count(*) into v_count from dead_lettered;
  return v_count;
end
$$;
