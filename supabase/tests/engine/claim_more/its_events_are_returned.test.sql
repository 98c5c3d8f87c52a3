begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 2);
create temp table got as select nofx_private.claim_more(array[current_setting('tap.tenant')::uuid], null, 1, 'w', null, '1 minute') as started;
select results_eq($$ select type from unnest((select (started).events from got)) $$, $$ values ('run.started'), ('step.started') $$);
select is(tap.events(), array['run.created', 'step.ready s0', 'step.ready s1'], 'not written yet');
select * from finish();
rollback;
