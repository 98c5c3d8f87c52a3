begin;
select plan(5);
select tap.tenant();
select tap.run_of('loose', 2, '{"tool": "gate:unit"}');
select tap.claim();
create function pg_temp.verdict(p_name text, p_passed boolean, p_more jsonb default '{}') returns uuid language sql as $$
  select nofx.record_gate(id, lease_token, p_passed, 'x', tap.asked(p_more)) from nofx.step where id = tap.step(p_name)
$$;
create function pg_temp.fault() returns text language sql as $$ select nofx_private.verdict_fault(tap.run(), '{"gate": "gate:unit"}', null) $$;
select is(pg_temp.fault(), '', 'it did not run');
select pg_temp.verdict('s0', true);
select is(pg_temp.fault(), null);
select pg_temp.verdict('s1', true, '{"tests": 0}');
select is(pg_temp.fault(), null, 'another one is strong enough');
update nofx.gate set created_at = created_at - interval '1 second';
select pg_temp.verdict('s0', true, '{"cwd": "a"}');
select is(pg_temp.fault(), 'cwd: it ran in `a`, not in the root folder', 'the earlier verdict of a step does not count');
update nofx.gate set created_at = created_at - interval '1 second';
select pg_temp.verdict('s1', false);
select is(pg_temp.fault(), '', 'one that failed is not hidden');
select * from finish();
rollback;
