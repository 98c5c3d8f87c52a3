begin;
select plan(3);
select tap.tenant();
select tap.run_of('loose', 1);
select is(cardinality(nofx_private.start_steps(array[tap.step('s0')], 'w', interval '1 minute')), 2, 'run.started and step.started');
select results_eq($$ select status::text, worker, lease_expires_at - now() from nofx.step where id = tap.step('s0') $$, $$ values ('running', 'w', interval '1 minute') $$);
select is(nofx_private.start_steps(array[tap.step('s0')], 'v', interval '1 minute'), null, 'only once');
select * from finish();
rollback;
