begin;
select plan(5);
select is(nofx_private.add_to_chain(null, '{"message": "a"}', 1) -> 0 ->> 'attempt', '1');
create function pg_temp.chain(p_error jsonb, p_attempts int) returns jsonb language plpgsql as $$
declare
  v_chain jsonb;
begin
  for n in 1..p_attempts loop
    v_chain := nofx_private.add_to_chain(v_chain, p_error, n);
  end loop;
  return v_chain;
end
$$;
select is(jsonb_array_length(pg_temp.chain('{"message": "a"}', 20)), 20);
select is(pg_temp.chain('{"message": "a"}', 25) -> 0 ->> 'attempt', '6', 'the oldest go');
select is(pg_temp.chain('{"message": "a"}', 25) -> 19 ->> 'attempt', '25');
select cmp_ok(pg_column_size(pg_temp.chain(jsonb_build_object('message', repeat('x', 60000), 'details', repeat('y', 5000)), 100)), '<', 30000,
  'a hundred attempts are no hundred errors');
select * from finish();
rollback;
