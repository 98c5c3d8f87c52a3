begin;
select plan(6);
select tap.tenant();
select tap.be('admin');
create function pg_temp.create(p_n int, p_expires_at timestamptz default null) returns uuid language sql as $$
  select nofx.create_api_key('k' || p_n, 'viewer', 'hash ' || p_n, 'nofx_' || p_n, p_expires_at)
$$;
select lives_ok($$ select pg_temp.create(n) from generate_series(1, 199) as n $$);
select lives_ok($$ select pg_temp.create(200, now() - interval '1 day') $$);
select lives_ok($$ select pg_temp.create(201) $$, 'one that expired is not valid');
select throws_ok($$ select pg_temp.create(202) $$, 'PT422', 'invalid-settings');
select nofx.revoke_api_key(id) from nofx.api_key where tenant_id = current_setting('tap.tenant')::uuid and name = 'k1';
select lives_ok($$ select pg_temp.create(202) $$);
select tap.tenant();
select tap.be('admin');
select lives_ok($$ select pg_temp.create(1001) $$, 'each tenant has its own');
select * from finish();
rollback;
