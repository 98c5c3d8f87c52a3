begin;
select plan(11);
select tap.tenant();
create temp table made as
select tap.submit('[{"name": "unit", "tool": "gate:unit"}, {"name": "lint", "tool": "gate:lint", "needs": [0]},
  {"name": "ship", "tool": "bash", "needs": [1]}, {"name": "work", "tool": "noop"}]',
  '{"pull_request": {"repository": "acme/web", "head_sha": "abc"}}') as run;
select tap.claim(), tap.settle('unit'), tap.settle('work'), tap.claim(), tap.fail_step('lint');
select nofx.mark_check_reported(tap.step(name), 'completed', 7, 29310) from unnest(array['unit', 'lint']) as name;
select is(tap.run_status(), 'failed');
-- Of the same commit: one that succeeded, and one whose check another App shows.
select tap.be('contributor');
select tap.submit('[{"name": "unit", "tool": "gate:unit"}]', '{"pull_request": {"repository": "acme/web", "head_sha": "abc"}}');
select tap.claim(), tap.settle('unit');
select nofx.mark_check_reported(tap.step('unit'), 'completed', 8, 29310);
select is(tap.run_status(), 'succeeded');

select is(nofx.rerun_checks('acme/web', 'abc', 1)::text, '[]', 'another App');
select is(nofx.rerun_checks('other/web', 'abc', 29310)::text, '[]', 'another repository');
select is(nofx.rerun_checks('acme/web', 'abd', 29310)::text, '[]', 'another commit');
select is(nofx.rerun_checks(null, null, null)::text, '[]', 'nothing');
select is((select jsonb_agg(again -> 'run_id') from jsonb_array_elements(nofx.rerun_checks('acme/web', 'abc', 29310)::jsonb) as again),
  (select jsonb_build_array(run) from made), 'the run that failed');
select is((select status::text from nofx.step where id = tap.step('unit')), 'succeeded', 'not the one that succeeded');
select set_config('tap.run', run::text, true) from made;
select is(array[tap.status('unit'), tap.status('lint'), tap.status('ship'), tap.status('work')],
  array['ready', 'pending', 'pending', 'succeeded'], 'also the gate that passed, and what depends on it');
select results_eq('select reported_status, check_id from nofx.check_run where run_id = tap.run()',
  'values (null::text, null::bigint), (null::text, null::bigint)', 'new checks');
select is(nofx.rerun_checks('acme/web', 'abc', 29310)::text, '[]', 'the same request again');
select * from finish();
rollback;
