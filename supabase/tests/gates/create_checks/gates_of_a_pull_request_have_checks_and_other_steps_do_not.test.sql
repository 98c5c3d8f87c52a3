begin;
select plan(2);
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "gate:unit"}, {"name": "b", "tool": "noop"}, {"name": "c", "tool": "manual:deploy"}]',
  '{"pull_request": {"repository": "acme/web", "head_sha": "abc"}}');
select is((select array_agg(s.name order by s.name) from nofx.check_run c join nofx.step s on s.id = c.step_id), array['a', 'c']);
select tap.submit('[{"name": "a", "tool": "gate:unit"}]');
select is((select count(*)::int from nofx.check_run), 2);
select * from finish();
rollback;
