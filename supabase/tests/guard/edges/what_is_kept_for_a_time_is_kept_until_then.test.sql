begin;
select plan(3);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "https://example.com"}', 'whsec_a');
create temporary table s as select (nofx.set_webhook_source('s', 'standard', 'sixteen letters.') ->> 'id')::uuid as id;
insert into nofx.webhook_receipt (source_id, subject, tenant_id, received_at)
select s.id, age::text, current_setting('tap.tenant')::uuid, now() - make_interval(hours => age) from s, unnest(array[23, 25]) as age;
insert into nofx.hook_delivery (id, tenant_id, hook_id, subject, body, status, ended_at)
select nofx_private.uuid_v7(), h.tenant_id, h.id, age::text, '{}', 'delivered', now() - make_interval(days => age)
  from nofx.hook h, unnest(array[29, 31]) as age where h.tenant_id = current_setting('tap.tenant')::uuid;
insert into nofx.idempotency_key (tenant_id, route, key, request_hash, resource_id, locked_until, created_at)
select current_setting('tap.tenant')::uuid, 'r', age::text, 'h', nofx_private.uuid_v7(), now(), now() - make_interval(hours => age) from unnest(array[23, 25]) as age;
select tap.be_service();
select nofx.forget_requests();
select is((select array_agg(subject) from nofx.webhook_receipt where source_id = (select id from s)), array['23']);
select is((select array_agg(subject) from nofx.hook_delivery where tenant_id = current_setting('tap.tenant')::uuid), array['29']);
select is((select array_agg(key) from nofx.idempotency_key where tenant_id = current_setting('tap.tenant')::uuid), array['23']);
select * from finish();
rollback;
