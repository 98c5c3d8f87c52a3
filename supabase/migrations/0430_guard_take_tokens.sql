-- Requests used of each rate limit in its current window and the one before, shared by all processes.
-- Unlogged: a crash resets all windows, which limits of a minute can afford.
create unlogged table nofx_private.rate_window (
  key text primary key,
  started_at timestamptz not null,
  used int not null,
  used_before int not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
create index rate_window_oldest on nofx_private.rate_window (started_at);

-- Rejected requests by rate limit, as reported by the API's processes.
create table nofx_private.rate_limit_rejection (
  policy text primary key,
  rejected bigint not null
);

-- Takes tokens of rate limits, as many as are free, by a sliding window: the previous window counts for the part of it that the
-- sliding window still covers.
-- Takes: p_wanted, an array of {key, n, limit, window_s, rejected}, at most one a key and 20 in all; n is the number of tokens (a process
--   takes some in advance), rejected the number of requests that it has rejected since its last call.
-- Locks: the rows of the keys, in order.
-- Returns: one row per key {key, granted, remaining, reset_s}: granted is at most n; reset_s is the time to the end of the window.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.take_tokens(p_wanted jsonb)
returns table (key text, granted int, remaining int, reset_s int)
language plpgsql
security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  perform nofx_private.require_service('limit', 'Only the API counts requests.');
  insert into nofx_private.rate_limit_rejection (policy, rejected)
  select split_part(w.key, ':', 1), sum(w.rejected) from jsonb_to_recordset(p_wanted) as w (key text, rejected int)
   where w.rejected > 0 group by 1 order by 1
  on conflict (policy) do update set rejected = rate_limit_rejection.rejected + excluded.rejected;
  insert into nofx_private.rate_window (key, started_at, used, used_before)
  select w.key, '-infinity', 0, 0 from jsonb_to_recordset(p_wanted) as w (key text) order by w.key limit 20
  on conflict do nothing;
  perform 1 from nofx_private.rate_window r
    where r.key in (select w.key from jsonb_to_recordset(p_wanted) as w (key text))
    order by r.key for update;
  return query
  with wanted as (
    select w.key, w.n, w."limit" as most, w.window_s,
           to_timestamp(floor(extract(epoch from now()) / w.window_s) * w.window_s) as started_at
      from jsonb_to_recordset(p_wanted) as w (key text, n int, "limit" int, window_s int)
  ), had as (
    select w.*, r.started_at = w.started_at as is_same,
           case when r.started_at = w.started_at then r.used else 0 end as had,
           case when r.started_at = w.started_at then r.used_before
                when r.started_at = w.started_at - make_interval(secs => w.window_s) then r.used
                else 0 end as before,
           1 - extract(epoch from now() - w.started_at)::double precision / w.window_s as reach
      from wanted w
      join nofx_private.rate_window r on r.key = w.key
  ), free as (
    select h.*, greatest(0, h.most - h.had - ceil(h.before * h.reach)::int) as free from had h
  ), given as (
    update nofx_private.rate_window r
       set started_at = f.started_at, used = f.had + least(f.n, f.free), used_before = f.before
      from free f
     where r.key = f.key
    returning r.key
  )
  select f.key, least(f.n, f.free), f.free - least(f.n, f.free),
         greatest(1, ceil(extract(epoch from f.started_at - now()) + f.window_s)::int)
    from free f
    join given g on g.key = f.key;
end
$$;
grant execute on function nofx.take_tokens(jsonb) to service_role;

-- Prunes rate windows that were not used for an hour.
-- Takes: nothing.
-- Locks: the rows that it deletes, skipping those in use.
-- Returns: how many were deleted.
-- Raises: nothing.
create function nofx_private.prune_rate_windows()
returns int
language plpgsql
set search_path = ''
as $$
declare
  v_count int;
begin
  delete from nofx_private.rate_window
   where ctid = any (array(select ctid from nofx_private.rate_window where started_at < now() - interval '1 hour' limit 10000 for update skip locked));
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
