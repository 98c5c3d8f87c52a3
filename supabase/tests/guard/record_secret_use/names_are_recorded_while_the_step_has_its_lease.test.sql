begin;
select plan(7);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
create function pg_temp.use(p_token uuid, p_tenant uuid default current_setting('tap.tenant')::uuid) returns boolean language sql as $$
  select nofx.record_secret_use(p_tenant, array['A_KEY', 'B_KEY'], tap.step('s0'), p_token)
$$;
select is(pg_temp.use(lease_token), true) from nofx.step where id = tap.step('s0');
select is(pg_temp.use(gen_random_uuid()), false, 'another has the lease');
select is(pg_temp.use(lease_token, gen_random_uuid()), false, 'the step is of another tenant') from nofx.step where id = tap.step('s0');
select results_eq($$ select actor, target, run_id, step_id, payload_hash from nofx.audit_log where action = 'secret.used' $$,
  $$ values ('service', 'A_KEY, B_KEY', tap.run(), tap.step('s0'), null::text) $$);
select is(nofx.record_secret_use(current_setting('tap.tenant')::uuid, array['GITHUB_TOKEN']), true, 'a job of the tenant');
select is((select count(*)::int from nofx.audit_log where action = 'secret.used' and step_id is null), 1);
select tap.be('admin');
select throws_ok($$ select nofx.record_secret_use(current_setting('tap.tenant')::uuid, array['A_KEY']) $$, 'PT403', 'forbidden');
select * from finish();
rollback;
