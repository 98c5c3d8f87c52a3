begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 5, '{"max_attempts": 3}');
select tap.claim();
select tap.fail_step('s' || n, jsonb_build_object('transient', true, 'token', gen_random_uuid())) from generate_series(0, 4) as n;
select is_empty($$ select 1 from nofx.handler_health where tenant_id = current_setting('tap.tenant')::uuid and (failed > 0 or state <> 'closed') $$);
select * from finish();
rollback;
