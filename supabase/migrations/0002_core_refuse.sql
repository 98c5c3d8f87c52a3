-- Refuses a call. Every refusal of the database goes through here, so that clients always get the same shape.
-- Takes: p_status, the HTTP status that PostgREST answers with; p_slug, the problem (a page of docs/problems);
--   p_subject, the resource or field concerned; p_hint, what the caller can do.
-- Locks: nothing.
-- Returns: never.
-- Raises: SQLSTATE PT<status> with the slug as message, the subject as detail and p_hint as hint.
create function nofx_private.refuse(p_status int, p_slug text, p_subject text, p_hint text default null)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  raise exception using
    errcode = 'PT' || p_status,
    message = p_slug,
    detail = coalesce(p_subject, ''),
    hint = coalesce(p_hint, '');
end
$$;
