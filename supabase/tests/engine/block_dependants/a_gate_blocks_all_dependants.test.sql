begin;
select plan(3);
select tap.tenant();
select tap.be('contributor');
select tap.submit('[{"name": "g", "tool": "gate:unit", "on_failure": "continue"}, {"name": "b", "tool": "noop", "needs": [0], "on_failure": "continue"},
  {"name": "c", "tool": "noop", "needs": [1], "on_failure": "skip"}, {"name": "d", "tool": "noop", "needs": [2]}, {"name": "e", "tool": "noop"}]');
select tap.claim();
select tap.fail_step('g');
select is(array[tap.status('b'), tap.status('c'), tap.status('d')], array['skipped', 'skipped', 'skipped'], 'one, two and three hops below');
select is((select error ->> 'message' from nofx.step where id = tap.step('d')), 'blocked by g');
select is(tap.status('e'), 'running', 'an independent step keeps running');
select * from finish();
rollback;
