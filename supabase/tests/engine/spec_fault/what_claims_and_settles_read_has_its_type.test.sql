begin;
select plan(67);
select is(nofx_private.spec_fault(spec::jsonb), null, spec) from unnest(array[
  null, '{}', '{"refs": [], "approval": null, "retry": null, "for_each": null, "if": null, "env": null, "inputs": null}',
  '{"refs": ["a"], "inputs": {"x": [1]}, "timeout_s": 60, "if": "true", "for_each": "[1]", "secrets": ["A"], "env": {"A": "b"}}',
  '{"approval": {}}', '{"approval": {"role": "admin", "count": 10, "expires_s": 86400}}', '{"approval": {"role": null, "count": null}}',
  '{"retry": {"max_attempts": 3, "factor": 2.5, "jitter": null, "initial_ms": 18446744073709551615}}',
  '{"driver": "e2b", "min_isolation": "L2", "image": "base", "placement": "task", "resources": {"cpu_s": 1}, "toolchains": ["rust"], "idempotency_key": "k"}']) as spec;
select isnt(nofx_private.spec_fault(spec::jsonb), null, spec) from unnest(array[
  '[]', '1', '"x"', 'true', '{"refs": {"a": 1}}', '{"refs": 1}', '{"refs": "a"}', '{"refs": [1]}', '{"refs": [null]}', '{"refs": [["a"]]}',
  '{"approval": []}', '{"approval": "admin"}', '{"approval": {"role": "root"}}', '{"approval": {"role": 1}}', '{"approval": {"role": {}}}',
  '{"approval": {"count": "x"}}', '{"approval": {"count": "1"}}', '{"approval": {"count": 1.5}}', '{"approval": {"count": 11}}', '{"approval": {"count": 0}}',
  '{"approval": {"expires_s": 99999999999}}', '{"approval": {"expires_s": 1e300}}', '{"approval": {"expires_s": []}}',
  '{"retry": []}', '{"retry": {"initial_ms": "soon"}}', '{"retry": {"factor": {}}}', '{"retry": {"factor": 1e300}}', '{"retry": {"jitter": 2}}', '{"retry": {"max_ms": -1}}',
  '{"for_each": 1}', '{"for_each": false}', '{"for_each": []}', '{"for_each": {}}', '{"for_each": ""}', '{"if": 1}', '{"if": []}',
  '{"inputs": []}', '{"inputs": "x"}', '{"env": []}', '{"env": {"A": 1}}', '{"env": {"A": null}}', '{"secrets": "A"}', '{"secrets": [1]}', '{"secrets": {}}',
  '{"timeout_s": "soon"}', '{"timeout_s": 0}', '{"timeout_s": 1.5}', '{"driver": 1}', '{"image": []}', '{"placement": {}}', '{"resources": 1}',
  '{"resources": []}', '{"idempotency_key": 1}', '{"toolchains": "rust"}', '{"toolchains": [1]}', '{"toolchains": {}}']) as spec;
select isnt(nofx_private.spec_fault(jsonb_build_object('inputs', jsonb_build_object('x', (repeat('[', 80) || '1' || repeat(']', 80))::jsonb))), null, 'deep');
select isnt(nofx_private.spec_fault(jsonb_build_object('inputs', jsonb_build_object('x', repeat('x', 3000000)))), null, 'huge');
select * from finish();
rollback;
