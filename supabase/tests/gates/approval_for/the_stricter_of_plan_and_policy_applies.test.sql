begin;
select plan(5);
select tap.tenant();
select tap.be('admin');
select nofx.set_gate_policy('bash', '[]', '{"count": 2, "expires_s": 60}'), nofx.set_gate_policy('http', '[]', '{"author_may_approve": true}');
select tap.submit('[{"name": "a", "tool": "bash", "spec": {"approval": {"count": 1, "role": "admin", "expires_s": 600}}},
  {"name": "b", "tool": "noop"}, {"name": "c", "tool": "manual:look"}, {"name": "d", "tool": "http"}, {"name": "e", "tool": "manual:deploy"}]');
create function pg_temp.of(p_name text) returns jsonb language sql as $$
  select nofx_private.approval_for(s, nofx_private.policy_for(s)) from nofx.step s where id = tap.step(p_name)
$$;
select is(pg_temp.of('a'), '{"gate_type": "manual:approval", "role": "admin", "count": 2, "expires_s": 60, "author_may_approve": false, "keys_may_approve": false}');
select is(pg_temp.of('b'), null);
select is(pg_temp.of('c'), '{"gate_type": "manual:look", "role": "supervisor", "count": 1, "author_may_approve": true, "keys_may_approve": false}');
select is(pg_temp.of('d') -> 'author_may_approve', 'true');
select is(pg_temp.of('e') -> 'author_may_approve', 'false', 'a deployment needs another person');
select * from finish();
rollback;
