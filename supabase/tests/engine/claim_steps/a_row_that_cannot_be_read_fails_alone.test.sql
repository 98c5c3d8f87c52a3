begin;
select plan(8);
select tap.tenant();
-- Approvals of the owner's own making, and a policy, so that holds are decided for all of them.
insert into nofx.gate_policy (id, tenant_id, tool, changed_by) values (nofx_private.uuid_v7(), current_setting('tap.tenant')::uuid, 'noop', 'x');
create temp table hostile as select n, spec from unnest(array[
  '{"refs": 1}',
  '{"refs": {"a": 1}}',
  '{"approval": {"role": "x"}}',
  '{"approval": {"count": "many"}}',
  '{"approval": {"count": 1e99}}',
  '{"approval": {"expires_s": []}}',
  '{"approval": []}',
  '{"approval": 1}',
  '"x"',
  '1',
  '[]',
  '{"for_each": 1}',
  '{"retry": {"factor": {}}}',
  '{"resources": {"memory_mb": {}}}',
  '{"inputs": 1}']::jsonb[]) with ordinality as h (spec, n);
select tap.submit((select jsonb_agg(jsonb_build_object('name', 'bad' || n, 'tool', 'noop')) from hostile) || '[{"name": "good", "tool": "noop"}]');
-- Nobody can submit these: the owner of the database wrote them.
update nofx.step s set spec = h.spec from hostile h where s.run_id = tap.run() and s.name = 'bad' || h.n;
select tap.be_service();
create temp table claim as select c from json_array_elements(nofx.claim_steps('w', 100)) as c;
select is((select count(*)::int from claim), 16, 'all are claimed');
select is((select c ->> 'fault' from claim where c ->> 'name' = 'good'), null, 'the others as ever');
select isnt((select c ->> 'fault' from claim where c ->> 'name' = 'bad1'), null, 'and this one says why it cannot run');
select isnt((select c ->> 'fault' from claim where c ->> 'name' = 'bad3'), null, 'so does one whose approval cannot be read: it is not run without');
select is((select count(*)::int from claim where c ->> 'token' is null or c ->> 'run_id' is null), 0, 'each can be settled');
select is((select nofx.settle_steps('w', json_agg(json_build_object('step_id', c ->> 'id', 'token', c ->> 'token', 'kind', 'failed', 'error', json_build_object('message', 'unreadable')))::jsonb) ->> 'refused'
             from claim where c ->> 'name' <> 'good'), '[]', 'and fails');
select is(tap.status('bad1'), 'failed');
select is(tap.status('good'), 'running');
select * from finish();
rollback;
