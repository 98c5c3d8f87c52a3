begin;
select plan(6);
select tap.tenant();
select tap.be('admin');
select nofx.set_gate_policy('bash', '["gate:unit", "gate:secrets"]');
select tap.submit('[{"name": "unit", "tool": "gate:unit"}, {"name": "again", "tool": "gate:unit"}, {"name": "secrets", "tool": "gate:secrets"},
  {"name": "go", "tool": "bash", "needs": [0, 1, 2]}]');
create function pg_temp.hold() returns text language sql as $$
  select nofx_private.hold_for(s) ->> 'refuse' from nofx.step s where id = tap.step('go')
$$;
create function pg_temp.verdict(p_name text, p_passed boolean) returns uuid language sql as $$
  select nofx.record_gate(id, lease_token, p_passed, 'x', tap.asked()) from nofx.step where id = tap.step(p_name)
$$;
select tap.claim();
select is(pg_temp.hold(), 'the policy for bash requires gate:secrets and gate:unit to have passed in this run');
select pg_temp.verdict('unit', true), pg_temp.verdict('secrets', true);
select is(pg_temp.hold(), null);
select pg_temp.verdict('again', false);
select is(pg_temp.hold(), 'the policy for bash requires gate:unit to have passed in this run', 'a passed gate does not hide a failed one');
update nofx.gate set created_at = now() - interval '1 minute' where step_id = tap.step('again');
select pg_temp.verdict('again', true);
select is(pg_temp.hold(), null, 'the last verdict of a step counts');
select tap.be('admin');
select tap.submit('[{"name": "go", "tool": "bash"}]');
select is(pg_temp.hold(), 'the policy for bash requires gate:secrets and gate:unit to have passed in this run', 'gates of another run do not count');
select tap.be('admin', gen_random_uuid());
select is((select count(*)::int from nofx.gate_policy where tool = 'bash' and tenant_id <> current_setting('tap.tenant')::uuid), 0);
select * from finish();
rollback;
