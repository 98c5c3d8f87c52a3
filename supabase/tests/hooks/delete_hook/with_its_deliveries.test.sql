begin;
select plan(3);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
create temp table h as select id, tenant_id from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid;

select tap.be_service();
select nofx.enqueue_deliveries(tenant_id, jsonb_build_array(jsonb_build_object('hook_id', id, 'dedup_key', 's', 'body', '{}'))) from h;
select tap.be('admin');
select nofx.delete_hook(id) from h;
select is_empty($$ select 1 from nofx.hook_delivery where hook_id = (select id from h) $$);
select throws_ok($$ select nofx.delete_hook(id) from h $$, 'PT404', 'hook-not-found');
select is((select count(*)::int from nofx.audit_log where action = 'hook.deleted'), 1);
select * from finish();
rollback;
