begin;
select plan(5);
select tap.tenant();
select tap.run_of('fan', 3);
select is(tap.run_status(), 'queued');
select results_eq($$ select name, status::text, needs_left from nofx.step where run_id = tap.run() order by position $$,
  $$ values ('first', 'ready', 0), ('m0', 'pending', 1), ('m1', 'pending', 1), ('m2', 'pending', 1), ('last', 'pending', 3) $$);
select is((select count(*) from nofx.step_edge where run_id = tap.run()), 6::bigint, 'edges');
select results_eq($$ select step_id, state::text from nofx.step_queue where run_id = tap.run() $$, $$ select tap.step('first'), 'ready' $$, 'one queue row');
select is(tap.events(), array['run.created', 'step.ready first']);
select * from finish();
rollback;
