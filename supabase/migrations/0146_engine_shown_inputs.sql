-- Shows a step's inputs in at most a few KiB: a computed column of nofx.step. A run may have 10,000 steps.
-- Takes: p_step.
-- Locks: nothing.
-- Returns: {inputs, is_cut}. Inputs of more than 2 KiB are cut: of each value of more than 256 bytes the first 200 characters are left, with
--   a mark.
-- Raises: nothing.
create function nofx.shown_inputs(p_step nofx.step)
returns json
language plpgsql
stable
security invoker set search_path = ''
as $$
declare
  v_inputs jsonb := coalesce(p_step.inputs, p_step.spec -> 'inputs', '{}');
begin
  if octet_length(v_inputs::text) <= 2048 then
    return json_build_object('inputs', v_inputs, 'is_cut', false);
  end if;
  return json_build_object('is_cut', true, 'inputs', (
    select json_object_agg(v.key, case
             when octet_length(v.value::text) <= 256 then v.value
             else to_jsonb(left(v.value #>> '{}', 200) || format('… [cut: %s bytes]', octet_length(v.value::text))) end order by v.key)
      from jsonb_each(v_inputs) as v));
end
$$;
grant execute on function nofx.shown_inputs(nofx.step) to authenticated, service_role;
