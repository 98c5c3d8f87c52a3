begin;
select plan(1);
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "gate:unit"}]', '{"pull_request": {"repository": "acme/web", "head_sha": "abc"}}');
select tap.claim(), tap.fail_step('a');
select tap.be('admin');
select throws_ok($$ select nofx.rerun_check(tap.step('a'), 'acme/web', 29310) $$, 'PT403', 'forbidden');
select * from finish();
rollback;
