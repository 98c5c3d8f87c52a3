-- Expires gates without a decision in time; their steps become ready, and then fail.
-- Takes: p_steps, steps whose timers are due and whose runs are locked.
-- Locks: the gates; the steps.
-- Returns: the steps that became ready.
-- Raises: nothing.
create function nofx_private.expire_gates(p_steps uuid[])
returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
  v_expired nofx.gate[];
begin
  with expired as (
    update nofx.gate g
       set status = 'expired', decided_at = now(), reason = 'no decision before the gate expired'
     where g.step_id = any (p_steps) and g.status = 'pending' and g.expires_at <= now()
    returning g
  )
  select array_agg(e.g) into v_expired from expired e;
  if v_expired is null then
    return '{}';
  end if;
  perform nofx_private.resolve_gate(gate) from unnest(v_expired) as gate;
  return array(select s.id from nofx.step s join unnest(v_expired) as gate on s.gate_id = gate.id where s.status = 'ready');
end
$$;
