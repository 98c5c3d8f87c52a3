begin;
select plan(2);
select tap.tenant();
select tap.be('admin');
select nofx.set_webhook_source('s', 'github', tap.sealed('a secret of the sender'));
create temp table s as select id, tenant_id from nofx.webhook_source where tenant_id = current_setting('tap.tenant')::uuid;

select throws_ok($$ select nofx.find_webhook_source(id) from s $$, 'PT403', 'forbidden');
select tap.be_service();
select is((select nofx.find_webhook_source(id) ->> 'provider' from s), 'github');
select * from finish();
rollback;
