-- Locks runs for a change: required for every change of status of a run or of its steps, except ready → running.
-- Advisory locks, because a row lock costs a write.
-- Takes: p_runs, the runs.
-- Locks: one advisory lock per run, in the order of the keys, until the transaction ends.
-- Returns: how many runs.
-- Raises: nothing.
create function nofx_private.lock_runs(p_runs uuid[])
returns int
language plpgsql
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(key)
     from (select distinct uuid_hash_extended(run, 1) as key from unnest(p_runs) as run order by 1) as ordered;
  return cardinality(p_runs);
end
$$;
