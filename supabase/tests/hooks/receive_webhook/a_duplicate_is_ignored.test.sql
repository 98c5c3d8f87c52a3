begin;
select plan(4);
select tap.tenant();
select tap.be('admin');
select nofx.set_webhook_source('s', 'github', tap.sealed('a secret of the sender'));
create temp table s as select id, tenant_id from nofx.webhook_source where tenant_id = current_setting('tap.tenant')::uuid;

select throws_ok($$ select nofx.receive_webhook(id, 'd-1', 'push', '{}') from s $$, 'PT403', 'forbidden');
select tap.be_service();
select is(nofx.receive_webhook(id, 'd-1', 'push', '{"a": 1}'), true) from s;
select is(nofx.receive_webhook(id, 'd-1', 'push', '{"a": 1}'), false) from s;
select is((select array_agg(data ->> 'id') from nofx.event where type = 'webhook.received' and tenant_id = (select tenant_id from s)), array['d-1']);
select * from finish();
rollback;
