begin;
select plan(8);
select tap.tenant();
select tap.submit(jsonb_build_array(jsonb_build_object('name', 'a', 'tool', 'noop', 'spec', '{"inputs": {"v": "${{ item }}"}}'::jsonb),
  jsonb_build_object('name', 'big', 'tool', 'noop', 'spec', jsonb_build_object('inputs',
    jsonb_build_object('text', repeat('ü', 3000), 'list', (select jsonb_agg(n) from generate_series(1, 400) as n), 'small', 1))),
  jsonb_build_object('name', 'none', 'tool', 'noop')));
create function pg_temp.shown(p_name text) returns jsonb language sql as $$
  select nofx.shown_inputs(s)::jsonb from nofx.step s where id = tap.step(p_name)
$$;
select is(pg_temp.shown('a'), '{"inputs": {"v": "${{ item }}"}, "is_cut": false}', 'as planned');
select is(pg_temp.shown('none'), '{"inputs": {}, "is_cut": false}');
select is(pg_temp.shown('big') -> 'is_cut', 'true');
select is(pg_temp.shown('big') -> 'inputs' ->> 'text', repeat('ü', 200) || '… [cut: 6002 bytes]');
select ok(pg_temp.shown('big') -> 'inputs' ->> 'list' like '[1, 2, 3%… [cut: % bytes]');
select is(pg_temp.shown('big') -> 'inputs' -> 'small', '1');
select tap.claim(), tap.settle('a', 'done', '{"inputs": {"v": "***"}}');
select is(pg_temp.shown('a') -> 'inputs', '{"v": "***"}', 'as the attempt used them');
select tap.settle('none'), tap.settle('big', 'failed', '{"error": {"message": "x"}, "inputs": {"x": 1}}');
select tap.be('contributor');
select nofx.retry_step(tap.run(), tap.step('big'));
select is(pg_temp.shown('big') -> 'is_cut', 'true', 'a retry begins as planned');
select * from finish();
rollback;
