begin;
select plan(25);
select is(nofx_private.is_readable_spec(spec::jsonb), true, spec) from unnest(array[
  null, 'null', '{}', '{"refs": [], "approval": null, "retry": null}', '{"refs": ["a"], "inputs": [1], "timeout_s": "soon"}',
  '{"approval": {}}', '{"approval": {"role": "admin", "count": 10, "expires_s": 86400}}', '{"retry": {"max_attempts": 3, "factor": 2.5, "jitter": null}}']) as spec;
select is(nofx_private.is_readable_spec(spec::jsonb), false, spec) from unnest(array[
  '[]', '1', '"x"', 'true', '{"refs": {"a": 1}}', '{"refs": null}', '{"refs": "a"}', '{"approval": []}', '{"approval": "admin"}',
  '{"approval": {"role": "root"}}', '{"approval": {"count": "x"}}', '{"approval": {"count": 1.5}}', '{"approval": {"expires_s": 99999999999}}',
  '{"retry": []}', '{"retry": {"initial_ms": "soon"}}', '{"retry": {"factor": {}}}']) as spec;
select tap.tenant();
select throws_ok($$ select tap.submit('[{"name": "a", "tool": "noop"}, {"name": "b", "tool": "noop", "spec": {"refs": {"a": 1}}}]') $$, 'PT422', 'invalid-plan');
select * from finish();
rollback;
