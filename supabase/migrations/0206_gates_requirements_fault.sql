-- Finds what is wrong with the list of gates of a policy.
-- Takes: p_requires, as set_gate_policy takes it.
-- Locks: nothing.
-- Returns: the first fault, for people; null for none.
-- Raises: nothing.
create function nofx_private.requirements_fault(p_requires jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_fault text;
begin
  if jsonb_typeof(p_requires) is distinct from 'array' then
    return 'Set `requires` to a list of gates: "gate:unit", or {"gate": "gate:unit", "command": "make test"}';
  elsif jsonb_array_length(p_requires) > 50 or pg_column_size(p_requires) > 65536 then
    return 'Require at most 50 gates, in 64 KiB';
  end if;
  select format('Correct %s of %s', nofx_private.requirement_fault(e.entry), nofx_private.quoted(coalesce(e.entry ->> 'gate', e.entry::text))) into v_fault
    from jsonb_array_elements(p_requires) as e (entry)
   where nofx_private.requirement_fault(e.entry) is not null
   limit 1;
  return v_fault;
end
$$;

-- Finds what is wrong with one gate of a policy.
-- Takes: p_required, a name or an object.
-- Locks: nothing.
-- Returns: the first fault; null for none.
-- Raises: nothing.
create function nofx_private.requirement_fault(p_required jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_all jsonb := nofx_private.requirement(p_required);
  v_gate text := v_all ->> 'gate';
begin
  return case
    when jsonb_typeof(v_all -> 'gate') is distinct from 'string' or v_gate !~ '^gate:[a-z0-9_]{1,40}$'
      then 'the name (gate:unit, gate:secrets, …)'
    when v_all - array['gate', 'command', 'cwd', 'report', 'format', 'fail_on', 'threshold', 'exclude', 'accept', 'base', 'min_tests', 'env', 'images'] <> '{}'
      then 'a field that is not known'
    when not (nofx_private.is_text(v_all -> 'command', 2000) and nofx_private.is_text(v_all -> 'cwd', 300)
              and nofx_private.is_text(v_all -> 'report', 300) and nofx_private.is_text(v_all -> 'format', 20)
              and nofx_private.is_text(v_all -> 'base', 300))
      then 'command, cwd, report, format or base (texts)'
    when coalesce(v_all -> 'fail_on', 'null') not in ('null', '"info"', '"warning"', '"error"')
      then 'fail_on (info, warning or error)'
    when not nofx_private.is_number(v_all -> 'threshold', 0, 100) then 'threshold (0 to 100)'
    when not nofx_private.is_whole(v_all -> 'min_tests', 0, 1000000) then 'min_tests (a whole number)'
    when not (nofx_private.is_list_of_texts(nullif(v_all -> 'exclude', 'null'), 100) and nofx_private.is_list_of_texts(nullif(v_all -> 'accept', 'null'), 100)
              and nofx_private.is_list_of_texts(nullif(v_all -> 'env', 'null'), 100) and nofx_private.is_list_of_texts(nullif(v_all -> 'images', 'null'), 100))
      then 'exclude, accept, env or images (lists of texts)'
    when v_gate <> 'gate:coverage' and coalesce(v_all ->> 'threshold', v_all ->> 'base') is not null then 'threshold or base, which only gate:coverage has, but'
    when v_gate = 'gate:e2e_smoke' and v_all ->> 'command' is null
      then 'the command, which must be stated since no tool is known for it ("*" for any),' end;
end
$$;
