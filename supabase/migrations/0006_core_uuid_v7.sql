-- Generates a UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits, so that ids sort by creation time.
-- Takes: nothing.
-- Locks: nothing.
-- Returns: a new id.
-- Raises: nothing.
create function nofx_private.uuid_v7()
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
begin
  -- gen_random_uuid() already carries the variant and random bits: the time replaces its first 48 bits, 7 its version digit.
  return (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid;
end
$$;

-- Generates UUIDv7s that sort in the order in which they are returned: a counter follows the milliseconds.
-- Takes: p_count, how many.
-- Locks: nothing.
-- Returns: the ids.
-- Raises: nothing.
create function nofx_private.uuids_v7(p_count int)
returns uuid[]
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_now bigint := (extract(epoch from clock_timestamp()) * 1000)::bigint;
begin
  -- 12 bits of counter; the carry goes into the milliseconds.
  return array(
    select (lpad(to_hex(v_now + n / 4096), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || substr(gen_random_uuid()::text, 20))::uuid
      from generate_series(0, p_count - 1) as n);
end
$$;
