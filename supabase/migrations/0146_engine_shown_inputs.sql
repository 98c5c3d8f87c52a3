-- Shows a step's inputs in at most 2 KiB: a computed column of nofx.step. A run may have 10,000 steps.
-- Takes: p_step.
-- Locks: nothing.
-- Returns: {inputs, is_cut}. Inputs of more than 2 KiB are cut: of each name and value of more than 256 bytes the first 100 and 200
--   characters are left, with a mark; inputs that do not fit even so are left out, and a mark says how many.
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
  return (
    with cut as (
      select v.at,
             case when octet_length(to_jsonb(v.key)::text) <= 256 then v.key
                  -- With its place: two long names may begin alike.
                  else left(v.key, 100) || format('… [cut: %s bytes, input %s]', octet_length(v.key), v.at) end as key,
             case when octet_length(v.value::text) <= 256 then v.value
                  else to_jsonb(left(v.value #>> '{}', 200) || format('… [cut: %s bytes]', octet_length(v.value::text))) end as value
        from jsonb_each(v_inputs) with ordinality as v (key, value, at)
        -- No more can fit: each takes 8 bytes and more.
       where v.at <= 256
    ), measured as (
      select c.*, sum(octet_length(to_jsonb(c.key)::text) + octet_length(c.value::text) + length(': , ')) over (order by c.at) as bytes
        from cut c
    ), shown as (
      -- The rest of the 2 KiB is for the mark.
      select m.at, m.key, m.value from measured m where m.bytes <= 1968
    ), left_out as (
      select (select count(*) from jsonb_object_keys(v_inputs)) - (select count(*) from shown) as inputs
    ), marked as (
      select s.at, s.key, s.value from shown s
      union all
      select 257, '… [inputs left out]', to_jsonb(l.inputs) from left_out l where l.inputs > 0
    )
    select json_build_object('is_cut', true, 'inputs', json_object_agg(k.key, k.value order by k.at)) from marked k);
end
$$;
grant execute on function nofx.shown_inputs(nofx.step) to nofx_api, service_role;
