begin;
select plan(6);
select tap.tenant();
select throws_ok(format('select nofx.begin_request(%L, %L, %L)', route, key, hash), 'PT400', 'invalid-request')
  from (values (repeat('r', 501), 'k', 'h'), ('POST /runs', repeat('k', 256), 'h'), ('POST /runs', 'k', repeat('h', 101)), (null, 'k', 'h'), ('POST /runs', null, 'h')) as t (route, key, hash);
select is((select count(*)::int from nofx.idempotency_key where tenant_id = current_setting('tap.tenant')::uuid), 0);
select * from finish();
rollback;
