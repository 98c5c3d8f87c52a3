begin;
select plan(5);
select tap.tenant();
select tap.be('admin');
select throws_ok(format('select nofx.create_api_key(%L, %L, %L, %L)', 'ci', role, hash, prefix), 'PT422', 'invalid-settings')
  from (values (null, 'h', 'nofx_'), ('viewer', null, 'nofx_'), ('viewer', repeat('h', 101), 'nofx_'), ('viewer', 'h', repeat('p', 41))) as t (role, hash, prefix);
select is((select count(*)::int from nofx.api_key where tenant_id = current_setting('tap.tenant')::uuid), 0);
select * from finish();
rollback;
