begin;
select plan(5);
select tap.tenant();
select tap.run_of('loose', 8, '{"max_attempts": 3}');
select tap.claim(5);
select tap.fail_step('s' || n, '{"transient": true}') from generate_series(0, 4) as n;

create temp table t as select tenant_id from nofx.handler_health;
create function pg_temp.result(p_failed int, p_succeeded int) returns text language sql as $$
  select nofx_private.record_results(array[row ((select tenant_id from t), 'noop', p_failed, p_succeeded, null)::nofx_private.result]);
  select state::text || ' ' || open_ms from nofx.handler_health
$$;
select is(pg_temp.result(3, 3), 'open 1000', 'results of earlier calls do not count');
update nofx.handler_health set state = 'half_open';
select is(pg_temp.result(1, 0), 'open 2000');
update nofx.handler_health set state = 'half_open', open_ms = 4000;
select is(pg_temp.result(1, 0), 'open 5000', 'at most five seconds');
update nofx.handler_health set state = 'half_open', succeeded = 0;
select is(pg_temp.result(0, 1), 'closed 1000');
select is((select count(*)::int from nofx.handler_health where probe_at is not null), 0);
select * from finish();
rollback;
