begin;
select plan(38);
select is(nofx_private.run_fault(run::jsonb), null, run) from unnest(array[
  '{}',
  '{"goal": "g", "plan": {"steps": []}, "workspace": {"git": "https://example.com/a", "ref": "main"}, "priority": -100, "max_parallel": 1, "deadline_s": 60, "traceparent": "00-a", "pull_request": {"repository": "o/n", "head_sha": "abc", "number": 1}, "created_by": "p"}',
  '{"goal": null, "plan": null, "workspace": null, "priority": null, "max_parallel": null, "deadline_s": null, "pull_request": null}',
  '{"workspace": {"git": "a", "ref": null}}']) as run;
select isnt(nofx_private.run_fault(run::jsonb), null, run) from unnest(array[
  'null',
  '[]',
  '1',
  '"g"',
  '{"goal": 1}',
  '{"goal": ["g"]}',
  '{"plan": []}',
  '{"plan": "p"}',
  '{"workspace": "w"}',
  '{"workspace": []}',
  '{"workspace": {}}',
  '{"workspace": {"git": 1}}',
  '{"workspace": {"git": "a", "ref": 1}}',
  '{"workspace": {"git": "a", "x": 1}}',
  '{"priority": "1"}',
  '{"priority": 1.5}',
  '{"priority": 101}',
  '{"priority": 1e99}',
  '{"max_parallel": 0}',
  '{"max_parallel": "x"}',
  '{"max_parallel": {}}',
  '{"deadline_s": "soon"}',
  '{"deadline_s": 1e99}',
  '{"deadline_s": []}',
  '{"traceparent": {}}',
  '{"created_by": 1}',
  '{"pull_request": "o/n"}',
  '{"pull_request": {}}',
  '{"pull_request": {"repository": 1, "head_sha": "a"}}',
  '{"pull_request": {"repository": "o/n"}}']) as run;
select isnt(nofx_private.run_fault(null), null, 'nothing');
select isnt(nofx_private.run_fault(jsonb_build_object('goal', repeat('g', 1001))), null, 'a long goal');
select isnt(nofx_private.run_fault(jsonb_build_object('plan', jsonb_build_object('a', repeat('g', 5000000)))), null, 'a huge plan');
select isnt(nofx_private.run_fault(jsonb_build_object('plan', jsonb_build_object('a', (repeat('[', 80) || '1' || repeat(']', 80))::jsonb))), null, 'a deep plan');
select * from finish();
rollback;
