begin;
select plan(9);
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "gate:unit"}]', '{"pull_request": {"repository": "acme/web", "head_sha": "abc"}}');
create function pg_temp.wait() returns interval language sql as $$ select locked_until - now() from nofx.check_run where step_id = tap.step('a') $$;
create function pg_temp.fail(p_times int) returns void language sql as $$
  select nofx.put_off_check(tap.step('a'), 'GitHub returned 401') from generate_series(1, p_times)
$$;
select throws_ok($$ select pg_temp.fail(1) $$, 'PT403', 'forbidden');
select tap.be_service();
select pg_temp.fail(1);
select is(pg_temp.wait(), '20 seconds'::interval);
select is(json_array_length(nofx.claim_checks()), 0, 'it is not due');
select pg_temp.fail(1);
select is(pg_temp.wait(), '40 seconds'::interval);
select nofx.mark_check_reported(tap.step('a'), 'queued', 7, 8);
select pg_temp.fail(11);
select is(pg_temp.wait(), '1 hour'::interval, 'a report begins anew, and an hour is the longest');
select is((select refused from nofx.check_run where step_id = tap.step('a')), null);
select pg_temp.fail(1);
select is((select refused from nofx.check_run where step_id = tap.step('a')), 'it could not be reported, 12 times: GitHub returned 401');
select pg_temp.fail(1);
select is((select count(*)::int from nofx.event where run_id = tap.run() and type = 'check.refused'), 1, 'it is said once');
select nofx_private.renew_checks(array[tap.run()]);
select is((select attempts from nofx.check_run where step_id = tap.step('a')), 0, 'run again from the forge, it is reported again');
select * from finish();
rollback;
