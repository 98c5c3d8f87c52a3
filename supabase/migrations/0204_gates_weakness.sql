-- Says in which fields a verdict proved less than a policy asks. What a policy does not state is asked by default: the gate's own choice of a
-- known tool, in the root folder, with its own threshold, without exceptions. Total: whatever either of them holds, it answers.
-- Takes: p_asked, what the gate was asked and how it judged, as record_gate stored it; p_required, {gate, command, …}, of a policy.
-- Locks: nothing.
-- Returns: each weaker field with the reason, `threshold: 0 is below 90; exclude: …`; null when the verdict counts.
-- Raises: nothing.
create function nofx_private.weakness(p_asked jsonb, p_required jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_gate text := p_required ->> 'gate';
  v_severities constant text[] := array['info', 'warning', 'error'];
  v_fail_on text := coalesce(p_required ->> 'fail_on', case when v_gate = 'gate:audit' then 'warning' else 'error' end);
  v_threshold numeric := coalesce(nofx_private.number_in(p_required -> 'threshold'), 90);
  v_least_tests numeric := coalesce(nofx_private.number_in(p_required -> 'min_tests'), case when v_gate = 'gate:unit' then 1 else 0 end);
  v_has_run boolean;
  v_has_base boolean;
begin
  if jsonb_typeof(p_asked) is distinct from 'object' then
    return 'verdict: it does not say what it was asked';
  end if;
  v_has_run := p_asked ->> 'verdict' is not distinct from 'pass';
  if not v_has_run and p_asked ->> 'verdict' is distinct from 'not_applicable' then
    return 'verdict: it is neither pass nor not_applicable';
  end if;
  v_has_base := v_gate = 'gate:coverage' or not v_has_run;
  return nullif(concat_ws('; ',
    -- Nothing to judge: by what the repository has, never by the plan's word.
    case when v_has_run then null
         when p_asked -> 'of_kind' is distinct from '[]'
         then format('of_kind: %s is of a kind that the gate judges', nofx_private.quoted(p_asked -> 'of_kind' ->> 0)) end,
    case when v_has_base and p_asked ->> 'base_from' is distinct from 'remote' then 'base_from: the base was not read from the plan''s repository' end,
    case when v_has_base and p_asked ->> 'base' is distinct from p_required ->> 'base'
         then format('base: compared with %s, not with %s', nofx_private.quoted(p_asked ->> 'base', 'the default branch'),
                nofx_private.quoted(p_required ->> 'base', 'the default branch')) end,
    nofx_private.not_allowed('exclude', p_asked, p_required -> 'exclude'),
    nofx_private.not_allowed('accept', p_asked, p_required -> 'accept'),
    case when v_has_run then nofx_private.weakness_of_command(p_asked, p_required) end,
    -- What is no severity may let everything pass; a gate without findings states none.
    case when v_has_run and p_asked ->> 'fail_on' <> all (v_severities)
         then format('fail_on: %s is no severity', nofx_private.quoted(p_asked ->> 'fail_on'))
         when v_has_run and array_position(v_severities, p_asked ->> 'fail_on') > array_position(v_severities, v_fail_on)
         then format('fail_on: %s, findings from %s on must fail it', p_asked ->> 'fail_on', v_fail_on) end,
    case when v_has_run and v_gate = 'gate:coverage' and coalesce(nofx_private.number_in(p_asked -> 'threshold_milli'), 0) < v_threshold * 1000
         then format('threshold: %s is below %s', trim_scale(coalesce(nofx_private.number_in(p_asked -> 'threshold_milli'), 0) / 1000), v_threshold) end,
    case when v_has_run and v_gate = 'gate:coverage' and p_asked -> 'is_measured' is distinct from 'true'
         then 'is_measured: the reports were there before the gate began' end,
    case when v_has_run and coalesce(nofx_private.number_in(p_asked -> 'tests'), 0) < v_least_tests
         then format('min_tests: %s tests ran, at least %s must', coalesce(nofx_private.number_in(p_asked -> 'tests'), 0), v_least_tests) end
  ), '');
end
$$;

-- Says in which fields the command of a verdict is not the one that a policy asks for.
-- Takes: p_asked and p_required, as weakness takes them; both are objects.
-- Locks: nothing.
-- Returns: each field with the reason; null for none.
-- Raises: nothing.
create function nofx_private.weakness_of_command(p_asked jsonb, p_required jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_command text := p_required ->> 'command';
  v_image text := p_asked ->> 'image';
begin
  return nullif(concat_ws('; ',
    case when v_command = '*' then null
         when v_command is not null then
           case when p_asked ->> 'command' is distinct from v_command
                then format('command: %s, not %s', nofx_private.quoted(p_asked ->> 'command', 'the gate''s own choice'), nofx_private.quoted(v_command)) end
         when p_asked -> 'is_known' is distinct from 'true'
         then format('command: %s is no tool that the gate chose itself', nofx_private.quoted(p_asked ->> 'command', 'it')) end,
    -- A project that the tool chosen does not look at: somebody may have added another one for it to be found first.
    case when v_command is null and coalesce(p_asked -> 'unjudged', '[]') <> '[]'
         then format('unjudged: %s is a project, too; state `command` in the policy', nofx_private.quoted(p_asked -> 'unjudged' ->> 0)) end,
    case when v_command is distinct from '*' and p_asked ->> 'report' is distinct from p_required ->> 'report'
         then format('report: %s, not %s', nofx_private.quoted(p_asked ->> 'report', 'the tool''s own'),
                nofx_private.quoted(p_required ->> 'report', 'the tool''s own')) end,
    case when v_command is distinct from '*' and p_asked ->> 'format' is distinct from p_required ->> 'format'
         then format('format: %s, not %s', nofx_private.quoted(p_asked ->> 'format', 'the tool''s own'),
                nofx_private.quoted(p_required ->> 'format', 'the tool''s own')) end,
    case when p_required ->> 'cwd' is distinct from '*' and p_asked ->> 'cwd' is distinct from p_required ->> 'cwd'
         then format('cwd: it ran in %s, not in %s', nofx_private.quoted(p_asked ->> 'cwd', 'the root folder'),
                nofx_private.quoted(p_required ->> 'cwd', 'the root folder')) end,
    -- Variables decide which program runs, and what it reads.
    nofx_private.not_allowed('env', p_asked, p_required -> 'env'),
    case when v_image is not null and not coalesce(p_required -> 'images' ? v_image, false)
         then format('images: it ran in %s', nofx_private.quoted(v_image)) end
  ), '');
end
$$;

-- Says which entry of a list in a verdict a policy does not allow.
-- Takes: p_field, the list's name; p_asked, what has it; p_allowed, the policy's list, null for none.
-- Locks: nothing.
-- Returns: the reason; null when all of them are allowed.
-- Raises: nothing.
create function nofx_private.not_allowed(p_field text, p_asked jsonb, p_allowed jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_list jsonb := coalesce(nullif(p_asked -> p_field, 'null'), '[]');
  v_bad text;
begin
  if jsonb_typeof(v_list) <> 'array' then
    return format('%s: it is no list', p_field);
  end if;
  select e.entry into v_bad from jsonb_array_elements_text(v_list) as e (entry)
   where not coalesce(p_allowed ? e.entry, false)
   limit 1;
  return case when found then format('%s: %s is not allowed', p_field, nofx_private.quoted(v_bad)) end;
end
$$;

-- Quotes a text that somebody wrote, cut short, for a message.
-- Takes: p_text; p_none, what stands for none.
-- Locks: nothing.
-- Returns: the text in backquotes.
-- Raises: nothing.
create function nofx_private.quoted(p_text text, p_none text default 'nothing')
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case when p_text is null then p_none
              else '`' || regexp_replace(left(p_text, 80), '[[:cntrl:]]', ' ', 'g') || case when length(p_text) > 80 then '…' else '' end || '`' end;
end
$$;

-- Reads a number of a document.
-- Takes: p_value, null for none.
-- Locks: nothing.
-- Returns: the number; null when it is none.
-- Raises: nothing.
create function nofx_private.number_in(p_value jsonb)
returns numeric
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case when jsonb_typeof(p_value) = 'number' then p_value::numeric end;
end
$$;
