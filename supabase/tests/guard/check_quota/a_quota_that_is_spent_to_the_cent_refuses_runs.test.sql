begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.be_service();
insert into nofx.model_call (id, tenant_id, run_id, step_id, attempt, request_hash, task, reserved_usd, reserved_tokens, status, cost_usd)
select gen_random_uuid(), tenant_id, run_id, id, 1, 'h', 'docs', 0, 0, 'succeeded', 1 from nofx.step where id = tap.step('s0');
select nofx.set_quota(current_setting('tap.tenant')::uuid, p_day_usd => 1.01);
select lives_ok($$ select tap.run_of('loose', 1) $$, 'a cent is left');
select tap.be_service();
select nofx.set_quota(current_setting('tap.tenant')::uuid, p_day_usd => 1);
select throws_ok($$ select tap.run_of('loose', 1) $$, 'PT429', 'quota-exceeded');
select * from finish();
rollback;
