begin;
select plan(40);
select is(nofx_private.step_fault(step::jsonb), null, step) from unnest(array[
  '{"name": "a", "tool": "noop"}',
  '{"name": "a b_.-1", "tool": "git:pr", "position": 0, "needs": [0, 1], "spec": null, "on_failure": "skip", "max_attempts": 100, "concurrency_key": "k", "concurrency_limit": 1}',
  '{"name": "a", "tool": "noop", "needs": null, "on_failure": null, "max_attempts": null, "position": null}']) as step;
select isnt(nofx_private.step_fault(step::jsonb), null, step) from unnest(array[
  'null',
  '[]',
  '1',
  '"a"',
  '{}',
  '{"name": "a"}',
  '{"tool": "noop"}',
  '{"name": 1, "tool": "noop"}',
  '{"name": ["a"], "tool": "noop"}',
  '{"name": "", "tool": "noop"}',
  '{"name": "a\nb", "tool": "noop"}',
  '{"name": "a", "tool": {}}',
  '{"name": "a", "tool": "x y"}',
  '{"name": "a", "tool": "noop", "position": "x"}',
  '{"name": "a", "tool": "noop", "position": -1}',
  '{"name": "a", "tool": "noop", "position": 1.5}',
  '{"name": "a", "tool": "noop", "needs": 1}',
  '{"name": "a", "tool": "noop", "needs": {"a": 0}}',
  '{"name": "a", "tool": "noop", "needs": ["0"]}',
  '{"name": "a", "tool": "noop", "needs": [0.5]}',
  '{"name": "a", "tool": "noop", "needs": [[0]]}',
  '{"name": "a", "tool": "noop", "needs": [1e99]}',
  '{"name": "a", "tool": "noop", "needs": [null]}',
  '{"name": "a", "tool": "noop", "on_failure": "stop"}',
  '{"name": "a", "tool": "noop", "on_failure": {}}',
  '{"name": "a", "tool": "noop", "max_attempts": 0}',
  '{"name": "a", "tool": "noop", "max_attempts": "2"}',
  '{"name": "a", "tool": "noop", "max_attempts": 1e99}',
  '{"name": "a", "tool": "noop", "concurrency_key": 1}',
  '{"name": "a", "tool": "noop", "concurrency_key": ["k"]}',
  '{"name": "a", "tool": "noop", "concurrency_limit": 0}',
  '{"name": "a", "tool": "noop", "concurrency_limit": "x"}',
  '{"name": "a", "tool": "noop", "spec": []}',
  '{"name": "a", "tool": "noop", "spec": "x"}',
  '{"name": "a", "tool": "noop", "spec": {"refs": 1}}']) as step;
select isnt(nofx_private.step_fault(jsonb_build_object('name', repeat('a', 81), 'tool', 'noop')), null, 'a long name');
select isnt(nofx_private.step_fault(jsonb_build_object('name', 'a', 'tool', 'noop', 'concurrency_key', repeat('k', 3000))), null, 'a key that no index takes');
select * from finish();
rollback;
