begin;
select plan(2);
select set_config('request.headers', '{"x-request-id": "r-1", "x-nofx-region": "iad1"}', true);
select tap.tenant();
select tap.run_of('loose', 1, '{}', '{"traceparent": "00-a-b-01"}');
select set_config('request.headers', '{"x-request-id": "r-2", "x-nofx-region": "fra1"}', true);
select tap.claim();
select is((select nofx.origin(e)::jsonb from nofx.event e where run_id = tap.run() and type = 'step.started'), '{"traceparent": "00-a-b-01", "correlationid": "r-1"}');
select results_eq($$ select region, request_id from nofx.event where run_id = tap.run() and type in ('run.created', 'step.started') order by id $$,
  $$ values ('iad1', 'r-1'), ('fra1', 'r-2') $$);
select * from finish();
rollback;
