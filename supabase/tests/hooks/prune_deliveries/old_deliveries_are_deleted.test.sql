begin;
select plan(2);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
create temp table h as select id, tenant_id from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid;
select tap.be_service();
select nofx.enqueue_deliveries(tenant_id, jsonb_build_array(jsonb_build_object('hook_id', id, 'dedup_key', '1-1', 'body', '{}'))) from h;
create temp table d as select id from nofx.hook_delivery where hook_id = (select id from h);
grant select on h, d to public;

select nofx.record_delivery_attempt(id, '{"duration_ms": 1, "status": 200, "delivered": true}') from d;
select nofx_private.prune_deliveries();
select isnt_empty($$ select 1 from nofx.hook_delivery where id = (select id from d) $$);
update nofx.hook_delivery set ended_at = now() - interval '31 days' where id = (select id from d);
select nofx_private.prune_deliveries();
select is_empty($$ select 1 from nofx.hook_delivery where id = (select id from d) $$);
select * from finish();
rollback;
