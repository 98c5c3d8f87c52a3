begin;
select plan(26);
select tap.tenant();
create function pg_temp.submit(p_steps text) returns text language sql as $$
  select format('select nofx.create_run(nofx_private.uuid_v7(), %L, %L, %L)', '{"goal": "g"}', p_steps, current_setting('tap.tenant'))
$$;
select throws_ok(pg_temp.submit(steps), 'PT422', 'invalid-plan', steps) from unnest(array[
  'null', '{}', '1', '"x"', '[1]', '[null]', '[[]]', '[{"name": "a", "tool": "noop", "spec": {"refs": 1}}]',
  '[{"name": "a", "tool": "noop", "spec": {"approval": {"role": "x"}}}]', '[{"name": "a", "tool": "git:pr", "spec": {"for_each": 1}}]',
  '[{"name": "a", "tool": "noop"}, {"name": "b", "tool": "noop", "needs": [0, 0]}]']) as steps;
select tap.be_service();
select throws_ok(pg_temp.submit(steps), 'PT422', 'invalid-plan', 'the service: ' || steps) from unnest(array[
  'null', '{}', '[1]', '[{"name": "a", "tool": "noop", "spec": {"refs": 1}}]', '[{"name": "a", "tool": "git:pr", "spec": {"for_each": 1}}]']) as steps;
select throws_ok(format('select nofx.create_run(null, %L, %L, %L)', '{}', '[{"name": "a", "tool": "noop"}]', current_setting('tap.tenant')), 'PT422', 'invalid-plan', 'no id');
select throws_ok(format('select nofx.create_run(nofx_private.uuid_v7(), %L, %L, %L)', run, '[{"name": "a", "tool": "noop"}]', current_setting('tap.tenant')), 'PT422', 'invalid-plan', run)
  from unnest(array['[]', '1', '{"goal": 1}', '{"priority": "x"}', '{"workspace": "w"}', '{"max_parallel": 0}']) as run;
select throws_ok(pg_temp.submit((select jsonb_agg(jsonb_build_object('name', 's' || n, 'tool', 'noop')) from generate_series(1, 1001) as n)::text), 'PT422', 'invalid-plan', 'too many steps');
select is((select count(*)::int from nofx.run where tenant_id = current_setting('tap.tenant')::uuid), 0, 'nothing was written');
select lives_ok(pg_temp.submit((select jsonb_agg(jsonb_build_object('name', 's' || n, 'tool', 'noop')) from generate_series(1, 1000) as n)::text), 'the most steps');
select * from finish();
rollback;
