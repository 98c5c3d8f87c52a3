begin;
select plan(1);
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "gate:unit"}, {"name": "b", "tool": "gate:unit"}]', '{"pull_request": {"repository": "acme/web", "head_sha": "abc"}}');
select tap.claim(), tap.settle('a');
select nofx.mark_check_reported(tap.step(name), 'completed', 7, 29310) from unnest(array['a', 'b']) as name;
select nofx_private.renew_checks(array[tap.run()]);
select results_eq('select step_id, check_id from nofx.check_run order by check_id nulls last',
  $$ values (tap.step('a'), 7::bigint), (tap.step('b'), null) $$);
select * from finish();
rollback;
