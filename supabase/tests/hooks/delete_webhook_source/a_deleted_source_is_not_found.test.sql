begin;
select plan(3);
select tap.tenant();
select tap.be('admin');
select nofx.set_webhook_source('s', 'github', tap.sealed('a secret of the sender'));
create temp table s as select id, tenant_id from nofx.webhook_source where tenant_id = current_setting('tap.tenant')::uuid;

select nofx.delete_webhook_source(id) from s;
select throws_ok($$ select nofx.delete_webhook_source(id) from s $$, 'PT404', 'webhook-source-not-found');
select is((select count(*)::int from nofx.audit_log where action = 'webhook_source.deleted'), 1);
select tap.be_service();
select is((select nofx.find_webhook_source(id)::text from s), null);
select * from finish();
rollback;
