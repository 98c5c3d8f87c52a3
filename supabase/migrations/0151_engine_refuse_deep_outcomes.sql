-- Turns outcomes with a value that is nested too deep (is_deep) into failures of their steps: outputs are in the claims of later steps, errors in
-- what people read, and a reader that cannot parse one of them fails for all.
-- Takes: p_outcomes.
-- Locks: nothing.
-- Returns: the outcomes.
-- Raises: nothing.
create function nofx_private.refuse_deep_outcomes(p_outcomes nofx_private.outcome[])
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
    if nofx_private.is_deep(to_jsonb(v_one)) then
      v_one.kind := 'failed';
      v_one.transient := false;
      v_one.ignored_by_breaker := true;
      v_one.wait_ms := null;
      v_one.outputs := null;
      v_one.gate := null;
      v_one.children := null;
      v_one.inputs := null;
      v_one.isolation := case when nofx_private.is_deep(v_one.isolation) then '{}' else v_one.isolation end;
      v_one.usage := case when nofx_private.is_deep(v_one.usage) then null else v_one.usage end;
      v_one.error := jsonb_build_object('message', 'the outcome of the step is nested too deep: outputs have at most 64 levels; write them to an artifact');
      p_outcomes[v_n] := v_one;
    end if;
  end loop;
  return p_outcomes;
end
$$;
