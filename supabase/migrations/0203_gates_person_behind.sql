-- Names the person behind a name: an API key acts for whoever made it, and so does a key that a key made.
-- Takes: p_name, as caller_name returns it: the subject of a token, or key:<id>; null for none.
-- Locks: nothing.
-- Returns: the person; the name itself when it is no key's, or of a key that is not there.
-- Raises: nothing.
create function nofx_private.person_behind(p_name text)
returns text
language plpgsql
stable
security definer set search_path = ''
as $$
declare
  v_name text := p_name;
  v_maker text;
begin
  -- A key is older than those that it made, so this ends.
  while v_name ~ '^key:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' loop
    select k.created_by into v_maker from nofx.api_key k where k.id = substr(v_name, 5)::uuid;
    exit when not found;
    v_name := v_maker;
  end loop;
  return v_name;
end
$$;
-- The column waits_for_me runs as the caller, who reads no keys.
grant execute on function nofx_private.person_behind(text) to nofx_api, service_role;

-- Returns the API key that the caller is.
-- Takes: nothing; reads the verified JWT.
-- Locks: nothing.
-- Returns: the key's id; null for a person who is signed in, and for the service role unless it acts for a key.
-- Raises: nothing.
create function nofx_private.caller_key()
returns uuid
language plpgsql
stable
set search_path = ''
as $$
begin
  return substring(nofx_private.caller_name() from '^key:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$')::uuid;
end
$$;
grant execute on function nofx_private.caller_key() to nofx_api, service_role;
