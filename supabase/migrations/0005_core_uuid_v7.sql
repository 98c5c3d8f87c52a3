-- Makes a UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits, so that ids sort by time of creation.
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
  -- gen_random_uuid() already carries the variant and random bits: the instant replaces its first 48 bits, 7 its version digit.
  return (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid;
end
$$;
