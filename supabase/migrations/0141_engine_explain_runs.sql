-- Explains why runs failed or wait, and at which step, for lists of runs.
-- Takes: p_runs, at most a page of a list; runs of other tenants are ignored.
-- Locks: nothing.
-- Returns: one row for each run that failed or waits: run_id, code (failed | cancelled | gate | breaker | timer | quota), step_id,
--   step_name and message (the first line of the error, the gate's question, the breaker's target, the
--   quota's name). A run with a step that waits for a quota says so when it waits for nothing else.
-- Raises: nothing.
create function nofx.explain_runs(p_runs uuid[])
returns table (run_id uuid, code text, step_id uuid, step_name text, message text)
language plpgsql
stable
security invoker set search_path = ''
as $$
begin
  return query
  select r.id, r.status::text, (r.error ->> 'step_id')::uuid, r.error ->> 'step', left(split_part(coalesce(r.error ->> 'message', ''), E'\n', 1), 300)
    from nofx.run r
   where r.id = any (p_runs) and r.error is not null
  union all
  select r.id, w.code, w.step_id, w.step_name, w.message
    from nofx.run r
    cross join lateral (
      select coalesce(s.waits_for::text, 'quota') as code, s.id as step_id, s.name as step_name,
             case when s.waits_for is null then 'parallel_sandboxes' else left(coalesce(g.question, g.gate_type, s.breaker_target, s.tool), 300) end as message
        from nofx.step s
        left join nofx.gate g on g.id = s.gate_id and g.status = 'pending'
       where s.run_id = r.id
         and (s.status = 'waiting' and s.waits_for <> 'child'
              or s.status = 'ready' and exists (select from nofx.step_queue d where d.step_id = s.id and d.state = 'quota'))
       order by s.waits_for nulls last, s.position
       limit 1) as w
   where r.id = any (p_runs) and r.error is null and r.ended_at is null;
end
$$;
grant execute on function nofx.explain_runs(uuid[]) to nofx_api;
