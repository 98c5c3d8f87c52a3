begin;
select plan(6);
select tap.tenant();
select tap.be('contributor');
select tap.submit('[{"name": "list", "tool": "noop", "on_failure": "skip"}, {"name": "each", "tool": "noop", "needs": [0], "spec": {"for_each": "[1, 2]"}}]');
select tap.claim(), tap.settle('list'), tap.claim(), tap.settle('each', 'children', '{"children": [1, 2]}');
select tap.claim(), tap.settle('each[0]'), tap.fail_step('each[1]');
select tap.claim(), tap.fail_step('each');
savepoint failed;

select tap.be('contributor');
select nofx.retry_step(tap.run(), tap.step('list'));
select results_eq($$ select name, status::text, needs_left from nofx.step where run_id = tap.run() order by name $$,
  $$ values ('each', 'pending', 2), ('each[0]', 'succeeded', 0), ('each[1]', 'pending', 1), ('list', 'ready', 0) $$);
select is(tap.claim(), array['list']);
select tap.settle('list');
select is(tap.claim(), array['each[1]']);
select tap.settle('each[1]'), tap.claim(), tap.settle('each');
select is(tap.run_status(), 'succeeded');

rollback to failed;
select tap.be('contributor');
select nofx.retry_step(tap.run(), tap.step('list'));
select tap.claim(), tap.fail_step('list');
select is(array[tap.status('each'), tap.status('each[1]')], array['skipped', 'skipped'], 'blocked by what they need');

rollback to failed;
select tap.be('contributor');
select nofx.retry_step(tap.run(), tap.step('each'));
select is(array[tap.status('each'), tap.status('each[0]'), tap.status('each[1]')], array['waiting', 'succeeded', 'ready']);
select * from finish();
rollback;
