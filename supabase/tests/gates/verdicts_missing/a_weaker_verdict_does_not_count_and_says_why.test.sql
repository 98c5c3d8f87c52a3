begin;
select plan(6);
select tap.tenant();
select tap.be('admin');
select nofx.set_gate_policy('bash', '["gate:lint", {"gate": "gate:unit", "min_tests": 10}]');
select tap.submit('[{"name": "lint", "tool": "gate:lint"}, {"name": "unit", "tool": "gate:unit"}, {"name": "again", "tool": "gate:unit"},
  {"name": "go", "tool": "bash", "needs": [0, 1, 2]}]');
create function pg_temp.hold() returns text language sql as $$
  select nofx_private.hold_for(s) ->> 'refuse' from nofx.step s where id = tap.step('go')
$$;
create function pg_temp.verdict(p_name text, p_asked jsonb, p_passed boolean default true) returns uuid language sql as $$
  select nofx.record_gate(id, lease_token, p_passed, 'x', p_asked) from nofx.step where id = tap.step(p_name)
$$;
select tap.claim();
select pg_temp.verdict('unit', tap.asked('{"command": "true", "is_known": false, "tests": null}'));
select is(pg_temp.hold(), 'the policy for bash requires gate:lint to have passed in this run. gate:unit passed, but the policy for bash asks more of it: '
  || 'command: `true` is no tool that the gate chose itself; min_tests: 0 tests ran, at least 10 must');
select pg_temp.verdict('lint', tap.asked('{"tests": null}'));
select is(pg_temp.hold() like 'gate:unit passed, but%', true);
select pg_temp.verdict('again', tap.asked('{"tests": 12}'));
select is(pg_temp.hold(), null, 'one of its verdicts is strong enough');
select is(nofx_private.verdicts_missing(tap.run(), 'bash', '["gate:unit"]', null), null, 'a name alone asks the default');
select is(nofx_private.verdicts_missing(tap.run(), 'bash', '[7, null, {}, "gate:unit"]', null), 'the policy for bash requires 7 to have passed in this run',
  'what cannot be read never counts');
update nofx.gate set asked = null where run_id = tap.run() and gate_type = 'gate:lint';
select is(pg_temp.hold(), 'gate:lint passed, but the policy for bash asks more of it: verdict: it does not say what it was asked');
select * from finish();
rollback;
