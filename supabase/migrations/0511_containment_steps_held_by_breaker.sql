-- Selects the claimed steps that open breakers hold; the others are probes where a breaker is half open.
-- Takes: p_steps, steps in status running.
-- Locks: their breakers that are not closed, in order.
-- Returns: the held steps, empty for none.
-- Raises: nothing.
create function nofx_private.steps_held_by_breaker(p_steps uuid[])
returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
  v_held uuid[];
begin
  with named as (
    select s.id, s.tenant_id, coalesce(s.breaker_target, s.tool) as target, s.gate_id, s.spec
      from nofx.step s
     where s.id = any (p_steps)
  ), breaker as (
    select h.tenant_id, h.target, h.state, h.probes - h.probes_in_flight - h.succeeded as room
      from nofx.handler_health h
     where h.state <> 'closed' and (h.tenant_id, h.target) in (select tenant_id, target from named)
     order by h.tenant_id, h.target
       for update
  ), turn as (
    select n.id, n.tenant_id, n.target,
           b.state = 'half_open' and row_number() over (partition by n.tenant_id, n.target order by n.id) <= b.room as is_probe
      from named n
      join breaker b on b.tenant_id = n.tenant_id and b.target = n.target
  ), sent as (
    update nofx.handler_health h
       set probes_in_flight = h.probes_in_flight + t.n
      from (select tenant_id, target, count(*)::int as n from turn where is_probe group by 1, 2) as t
     where h.tenant_id = t.tenant_id and h.target = t.target
  )
  select coalesce(array_agg(id) filter (where not is_probe), '{}') into v_held from turn;
  return v_held;
end
$$;
