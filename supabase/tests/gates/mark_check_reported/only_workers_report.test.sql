begin;
select plan(1);
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "gate:unit"}]', '{"pull_request": {"repository": "acme/web", "head_sha": "abc"}}');
select tap.be('admin');
select throws_ok($$ select nofx.mark_check_reported(tap.step('a'), 'queued', 7, 29310) $$, 'PT403', 'forbidden');
select * from finish();
rollback;
