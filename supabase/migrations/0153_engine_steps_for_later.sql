-- Finds steps of a claim that are put off, because the outputs that they read are too much for one reply: claims carry steps of all tenants, and
-- what one tenant's steps have to read must not be what a worker or the database has no memory for. Those that read least go first.
-- Takes: p_steps, steps in status running.
-- Locks: nothing.
-- Returns: steps for another claim; null for none, as it is for all small claims.
-- Raises: nothing.
create function nofx_private.steps_for_later(p_steps uuid[])
returns uuid[]
language plpgsql
stable
set search_path = ''
as $$
begin
  -- Each reads 8 MiB at most.
  if cardinality(p_steps) <= 8 then
    return null;
  end if;
  return (
    select array_agg(t.id)
      from (
        select s.id, sum(b.bytes) over (order by b.bytes, s.id) as so_far
          from nofx.step s
         cross join lateral (
           select coalesce((select sum(k.outputs_bytes) from nofx.step k
                             where k.run_id = s.run_id and k.name in (select jsonb_array_elements_text(
                                      case when jsonb_typeof(s.spec -> 'refs') = 'array' then s.spec -> 'refs' else '[]' end))), 0)
                + case when s.spec ->> 'for_each' is null then 0
                       else coalesce((select sum(k.outputs_bytes) from nofx.step k where k.parent_id = s.id), 0) end as bytes
         ) as b
         where s.id = any (p_steps)
           and (s.spec ->> 'refs' is not null or s.spec ->> 'for_each' is not null)
      ) as t
     -- Each step may name 100 open breakers besides, of 300 bytes each.
     where t.so_far > 67108864 - 30720 * cardinality(p_steps));
end
$$;
