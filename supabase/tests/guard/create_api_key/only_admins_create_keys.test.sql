begin;
select plan(3);
select tap.tenant();
select throws_ok($$ select nofx.create_api_key('ci', 'viewer', 'h', 'nofx_') $$, 'PT403', 'forbidden');
select tap.be('admin');
select isnt(nofx.create_api_key('ci', 'viewer', repeat('a', 64), 'nofx_'), null);
select is((select type from nofx.event where tenant_id = current_setting('tap.tenant')::uuid), 'api_key.created');
select * from finish();
rollback;
