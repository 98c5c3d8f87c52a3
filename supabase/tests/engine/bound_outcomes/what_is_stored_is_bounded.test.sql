begin;
select plan(8);
create function pg_temp.bounded(p_outcome jsonb) returns nofx_private.outcome language sql as $$
  select (nofx_private.bound_outcomes(array[jsonb_populate_record(null::nofx_private.outcome, p_outcome)]))[1]
$$;
select is((pg_temp.bounded('{"kind": "done", "outputs": {"a": 1}, "inputs": {"b": 2}}')).outputs, '{"a": 1}');
select is((pg_temp.bounded(jsonb_build_object('kind', 'done', 'outputs', repeat('x', 8388700)))).kind, 'failed');
select matches((pg_temp.bounded(jsonb_build_object('kind', 'done', 'outputs', repeat('x', 8388700)))).error ->> 'message', 'the limit is 8388608');
select is((pg_temp.bounded(jsonb_build_object('kind', 'done', 'inputs', jsonb_build_object('x', repeat('x', 2097200))))).inputs, null);
select is(length((pg_temp.bounded(jsonb_build_object('kind', 'gate', 'gate', jsonb_build_object('question', repeat('q', 70000))))).gate ->> 'question'), 4000);
create temporary table one as select pg_temp.bounded(jsonb_build_object('kind', 'failed',
  'error', jsonb_build_object('message', repeat('m', 5000), 'kind', 'k', 'details', repeat('d', 70000)))) as o;
select is(length((o).error ->> 'message'), 4000) from one;
select is((o).error ? 'details', false) from one;
select is((pg_temp.bounded('{"kind": "failed", "error": {"message": "m", "details": 1}}')).error, '{"message": "m", "details": 1}');
select * from finish();
rollback;
