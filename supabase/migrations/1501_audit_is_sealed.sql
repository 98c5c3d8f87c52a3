-- Checks whether a text has the form of a sealed one: `sealed.<key id>.<wrapped key>.<ciphertext>`. The API and workers seal and open (AES-256-GCM, a
-- key for each text); the database stores nothing else where a secret belongs.
-- Takes: p_text.
-- Locks: nothing.
-- Returns: whether it is sealed; false for null.
-- Raises: nothing.
create function nofx_private.is_sealed(p_text text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return coalesce(p_text ~ '^sealed\.[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9+/]+={0,2}\.[A-Za-z0-9+/]+={0,2}$', false);
end
$$;
