begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select nofx.set_webhook_source('s', 'github', tap.sealed('a secret of the sender'));
select tap.be('supervisor');
select throws_ok($$ select nofx.delete_webhook_source(id) from nofx.webhook_source where tenant_id = current_setting('tap.tenant')::uuid $$, 'PT403', 'forbidden');
select * from finish();
rollback;
