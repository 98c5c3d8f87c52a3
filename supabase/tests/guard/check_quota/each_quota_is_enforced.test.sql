begin;
select plan(6);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
select tap.save('s0', 'of another tenant');
select tap.tenant();
select tap.run_of('loose', 3);
create function pg_temp.quota(p_quota text, p_value numeric) returns void language sql as $$
  delete from nofx.quota where tenant_id = current_setting('tap.tenant')::uuid;
  select nofx_private.check_quota(current_setting('tap.tenant')::uuid);
  insert into nofx.quota select (jsonb_populate_record(null::nofx.quota, jsonb_build_object('tenant_id', current_setting('tap.tenant'), p_quota, p_value, 'changed_at', now()))).*
$$;
select pg_temp.quota('runs_per_minute', 1);
select throws_like($$ select tap.run_of('loose', 1) $$, '%quota-exceeded%');
select pg_temp.quota('runs_per_minute', 2);
select lives_ok($$ select tap.run_of('loose', 1) $$);
select pg_temp.quota('parallel_steps', 4);
select throws_ok($$ select tap.run_of('loose', 1) $$, 'PT429', 'quota-exceeded');
select pg_temp.quota('parallel_steps', 9);
select tap.claim();
select tap.save('s0', 'log');
select pg_temp.quota('stored_bytes', 4);
select lives_ok($$ select tap.run_of('loose', 1) $$, 'three bytes of four are stored');
select pg_temp.quota('stored_bytes', 3);
select throws_ok($$ select tap.run_of('loose', 1) $$, 'PT429', 'quota-exceeded', 'all of them');
select pg_temp.quota('day_usd', 0.5);
insert into nofx.model_call (id, tenant_id, run_id, step_id, attempt, request_hash, task, reserved_usd, reserved_tokens, status, cost_usd)
select gen_random_uuid(), tenant_id, run_id, id, 1, 'h', 'docs', 0, 0, 'succeeded', 1 from nofx.step where id = tap.step('s0');
select throws_ok($$ select tap.run_of('loose', 1) $$, 'PT429', 'quota-exceeded');
select * from finish();
rollback;
