begin;
select plan(9);
select tap.tenant();
select tap.submit('[{"name": "unit", "tool": "gate:unit"}, {"name": "each", "tool": "gate:unit", "spec": {"for_each": "[1, 2]"}}, {"name": "ask", "tool": "manual:look"}]');
create function pg_temp.judged(p_name text) returns jsonb language sql as $$ select nofx_private.judged_of(s) from nofx.step s where s.id = tap.step(p_name) $$;
create function pg_temp.judge(p_name text, p_commit text, p_is_clean boolean) returns uuid language sql as $$
  select nofx.record_gate(tap.step(p_name), (tap.outcome(p_name) ->> 'token')::uuid, true, 'e', tap.asked(), repeat('a', 40), p_commit, p_is_clean)
$$;
select tap.claim();
select is(pg_temp.judged('unit'), null, 'nobody judged yet');
select is(pg_temp.judged('each'), null, 'it has no children');
select pg_temp.judge('unit', repeat('a', 40), true);
select is(pg_temp.judged('unit'), jsonb_build_object('commit', repeat('a', 40), 'is_clean', true, 'uncounted', null));
select is(pg_temp.judged('ask'), null, 'people judge nothing');
select tap.settle('each', 'children', '{"children": [1, 2]}');
select is(pg_temp.judged('each'), null, 'no child judged yet');
select tap.claim();
select pg_temp.judge('each[0]', repeat('a', 40), true);
select is(pg_temp.judged('each'), null, 'one of them did not judge');
select pg_temp.judge('each[1]', repeat('a', 40), false);
select is(pg_temp.judged('each') -> 'is_clean', 'false', 'one of them had changes');
select pg_temp.judge('each[1]', repeat('a', 40), true);
select is(pg_temp.judged('each'), jsonb_build_object('commit', repeat('a', 40), 'is_clean', true, 'uncounted', null));
select pg_temp.judge('each[1]', repeat('b', 40), true);
select is(pg_temp.judged('each') ->> 'commit', null, 'not all of them judged the same');
select * from finish();
rollback;
