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
  -- gen_random_uuid() already carries the variant; its version digit is 4 (0100) and becomes 7 (0111).
  return encode(
    set_bit(
      set_bit(
        overlay(
          uuid_send(gen_random_uuid())
          placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
          from 1 for 6
        ),
        52, 1
      ),
      53, 1
    ),
    'hex'
  )::uuid;
end
$$;
