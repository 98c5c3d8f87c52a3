begin;
select plan(4);
select tap.tenant();
select tap.submit(jsonb_build_array(
  '{"name": "a", "tool": "noop"}'::jsonb, '{"name": "b", "tool": "db_write", "spec": {"inputs": {"op": "insert"}}}'::jsonb,
  '{"name": "c", "tool": "db_write", "spec": {"inputs": {"op": "${{ run.goal }}"}}}'::jsonb,
  '{"name": "d", "tool": "db_write", "spec": {"inputs": {"op": "delete", "dry_run": true}}}'::jsonb));
select is(nofx_private.policy_key(s), 'noop') from nofx.step s where id = tap.step('a');
select is(nofx_private.policy_key(s), 'db_write:insert') from nofx.step s where id = tap.step('b');
select is(nofx_private.policy_key(s), 'db_write:delete', 'an unknown operation counts as delete') from nofx.step s where id = tap.step('c');
select is(nofx_private.policy_key(s), 'db_write:dry_run') from nofx.step s where id = tap.step('d');
select * from finish();
rollback;
