begin;
select plan(4);
select tap.tenant();
select tap.be('contributor');
select throws_ok($$ select nofx.create_run(gen_random_uuid(), '{}', '[{"name": "a", "tool": "bash", "spec": {"secrets": ["GITHUB_TOKEN"]}}]') $$,
  'PT422', 'invalid-plan');
select lives_ok($$ select nofx.create_run(gen_random_uuid(), '{}', '[{"name": "a", "tool": "noop", "spec": {"secrets": ["LATER"]}}, {"name": "b", "tool": "noop", "spec": {"secrets": []}}]') $$);
select tap.be('admin');
select nofx.set_secret_rule('LATER', '{git:*}');
select tap.be_service();
create temporary table claimed as select c.value as step from json_array_elements(nofx.claim_steps('w', 10)) as c;
select matches((select step -> 'hold' ->> 'refuse' from claimed where step ->> 'name' = 'a'), 'LATER may be used by git:\*, not by noop');
select is((select (step ->> 'name', step ->> 'hold')::text from claimed where step ->> 'name' = 'b'), '(b,)', 'the other one runs');
select * from finish();
rollback;
