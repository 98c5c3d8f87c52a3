begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 2, '{"tool": "gate:unit"}');
select tap.claim();
select nofx.record_gate(tap.step('s0'), (tap.outcome('s0') ->> 'token')::uuid, true, 'e', '{"tests": 1}', repeat('a', 40), repeat('b', 40), true);
select results_eq('select asked, tree, commit, is_clean from nofx.gate', $$ values ('{"tests": 1}'::jsonb, repeat('a', 40), repeat('b', 40), true) $$);
select nofx.record_gate(tap.step('s1'), (tap.outcome('s1') ->> 'token')::uuid, true, 'e',
  jsonb_build_object('exclude', (select jsonb_agg(md5(n::text)) from generate_series(1, 2000) as n)));
select is((select asked from nofx.gate where step_id = tap.step('s1')), null, 'a list without end counts for nothing');
select * from finish();
rollback;
