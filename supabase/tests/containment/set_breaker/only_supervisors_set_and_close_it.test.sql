begin;
select plan(5);
select tap.tenant();
select tap.run_of('loose', 8, '{"max_attempts": 3}');
select tap.claim(5);
select tap.fail_step('s' || n, '{"transient": true}') from generate_series(0, 4) as n;

select tap.be('contributor');
select throws_ok($$ select nofx.set_breaker('noop') $$, 'PT403', 'forbidden');
select tap.be('supervisor');
select throws_ok($$ select nofx.set_breaker('noop', p_min_volume => 0) $$, 'PT422', 'invalid-breaker');
select throws_ok($$ select nofx.set_breaker('no such thing!') $$, 'PT422', 'invalid-breaker');
select is(nofx.set_breaker('noop', p_min_volume => 9, p_close => true) ->> 'state', 'closed');
select is((select array_agg(action order by seq) from nofx.audit_log), array['run.submitted', 'breaker.set']);
select * from finish();
rollback;
