begin;
select plan(8);
select is(nofx_private.runs_programs(tool, '{"inputs": {}}'), runs, tool)
  from (values ('bash', true), ('gate:unit', true), ('gate:', true), ('noop', false), ('git:push', false), ('manual:gate', false)) as t (tool, runs);
select is(nofx_private.runs_programs('bash', '{"for_each": "x"}'), false, 'its children run');
select is(nofx_private.runs_programs('bash', '{"for_each": null}'), true, 'by value: null is none, as claims and workers read it');
select * from finish();
rollback;
