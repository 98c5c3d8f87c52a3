begin;
select plan(3);
select tap.tenant();
select tap.submit('[{"name": "plain", "tool": "manual:x"}, {"name": "asks", "tool": "noop", "spec": {"approval": {"count": 1}}}, {"name": "keys", "tool": "manual:keys"}]');
select tap.be('admin');
select nofx.set_gate_policy('manual:keys', '[]', '{"keys_may_approve": true}');
create function pg_temp.keys(p_name text) returns text language sql as $$
  select nofx_private.approval_for(s, nofx_private.policy_for(s)) ->> 'keys_may_approve' from nofx.step s where s.id = tap.step(p_name)
$$;
select is(pg_temp.keys('plain'), 'false');
select is(pg_temp.keys('asks'), 'false');
select is(pg_temp.keys('keys'), 'true');
select * from finish();
rollback;
