-- Bounds what outcomes keep, in bytes, before it is stored, emitted and multiplied: what an attempt says it failed with, the inputs that it
-- shows, and the outputs, which later steps read. Workers keep smaller limits; these hold whatever a worker sends.
-- Takes: p_outcomes.
-- Locks: nothing.
-- Returns: the outcomes: errors above 64 KiB without their details and with the begin of their message, inputs above 2 MiB left out, of a question above 64 KiB the begin; those
--   whose outputs have more than 8 MiB are failures.
-- Raises: nothing.
create function nofx_private.bound_outcomes(p_outcomes nofx_private.outcome[])
returns nofx_private.outcome[]
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_n int;
  v_one nofx_private.outcome;
begin
  for v_n in 1..cardinality(p_outcomes) loop
    v_one := p_outcomes[v_n];
    if pg_column_size(v_one.outputs) > 8388608 then
      v_one.kind := 'failed';
      v_one.transient := false;
      v_one.ignored_by_breaker := true;
      v_one.wait_ms := null;
      v_one.error := jsonb_build_object('message',
        format('the outputs have %s bytes, the limit is 8388608; write them to an artifact', pg_column_size(v_one.outputs)));
      v_one.outputs := null;
    end if;
    if pg_column_size(v_one.inputs) > 2097152 then
      v_one.inputs := null;
    end if;
    if pg_column_size(v_one.gate) > 65536 then
      v_one.gate := jsonb_strip_nulls(jsonb_build_object('gate_type', left(v_one.gate ->> 'gate_type', 200), 'question', left(v_one.gate ->> 'question', 4000)));
    end if;
    if pg_column_size(v_one.error) > 65536 then
      v_one.error := nofx_private.short_error(v_one.error, 4000);
    end if;
    p_outcomes[v_n] := v_one;
  end loop;
  return p_outcomes;
end
$$;

-- An error without its details, and with the begin of its message.
-- Takes: p_error; p_most, characters of the message.
-- Locks: nothing.
-- Returns: {kind, message, left_out: how many bytes it had}.
-- Raises: nothing.
create function nofx_private.short_error(p_error jsonb, p_most int)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return jsonb_strip_nulls(jsonb_build_object('kind', left(p_error ->> 'kind', 100), 'message', coalesce(left(p_error ->> 'message', p_most), ''),
    'left_out', pg_column_size(p_error)));
end
$$;

-- Adds the error of an attempt to the chain of those before it: at most the last twenty, and of a large one only what it begins with. Each
-- attempt has its own error whole, in step_attempt; a chain of whole ones would be written anew with each attempt.
-- Takes: p_chain, null for none; p_error, of the attempt; p_attempt, its number.
-- Locks: nothing.
-- Returns: the chain.
-- Raises: nothing.
create function nofx_private.add_to_chain(p_chain jsonb, p_error jsonb, p_attempt int)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_error jsonb := case when pg_column_size(p_error) > 4096 then nofx_private.short_error(p_error, 1000) else coalesce(p_error, '{}') end;
begin
  p_chain := coalesce(p_chain, '[]');
  while jsonb_array_length(p_chain) >= 20 loop
    p_chain := p_chain - 0;
  end loop;
  return p_chain || jsonb_build_array(v_error || jsonb_build_object('attempt', p_attempt, 'at', now()));
end
$$;
