begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select nofx.create_api_key('ci', 'viewer', repeat('a', 64), 'nofx_');
select tap.be('supervisor');
select throws_ok($$ select nofx.revoke_api_key(id) from nofx.api_key where tenant_id = current_setting('tap.tenant')::uuid $$, 'PT403', 'forbidden');
select * from finish();
rollback;
