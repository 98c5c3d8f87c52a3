begin;
select plan(4);
select tap.tenant();
select tap.be('admin');
select nofx.set_webhook_source('s', 'github', tap.sealed('a secret of the sender'));
create temp table s as select id, tenant_id from nofx.webhook_source where tenant_id = current_setting('tap.tenant')::uuid;

select nofx.set_webhook_source('s', 'github', tap.sealed('another secret of it'));
select is((select secrets from nofx.webhook_source where id = (select id from s)), array[tap.sealed('another secret of it'), tap.sealed('a secret of the sender')]);
select throws_ok($$ select nofx.set_webhook_source('s', 'github', 'short') $$, 'PT422', 'invalid-hook');
select throws_ok($$ select nofx.set_webhook_source('a name', 'github', tap.sealed('a secret of the sender')) $$, 'PT422', 'invalid-hook');
select tap.be('supervisor');
select throws_ok($$ select nofx.set_webhook_source('s', 'github', tap.sealed('a secret of the sender')) $$, 'PT403', 'forbidden');
select * from finish();
rollback;
