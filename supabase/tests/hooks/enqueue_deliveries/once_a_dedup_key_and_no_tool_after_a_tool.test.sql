begin;
select plan(4);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
create temp table h as select id, tenant_id from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid;

select nofx.set_hook('t', 'background', '', '{"kind": "tool", "tool": "noop", "inputs": "sealed.k1.d3JhcHBlZA==.e30="}');
select tap.be_service();
create function pg_temp.queue(p_tenant uuid, p_hook text, p_dedup_key text, p_run uuid default null) returns void language sql as $$
  select nofx.enqueue_deliveries(p_tenant, jsonb_build_array(jsonb_build_object('hook_id', k.id, 'dedup_key', p_dedup_key, 'body', '{}', 'run_id', p_run)))
    from nofx.hook k where k.tenant_id = (select tenant_id from h) and name = p_hook
$$;
select pg_temp.queue(tenant_id, 'h', '1-1'), pg_temp.queue(tenant_id, 'h', '1-1'), pg_temp.queue(gen_random_uuid(), 'h', '1-2') from h;
select is((select count(*)::int from nofx.hook_delivery where tenant_id = (select tenant_id from h)), 1);
select pg_temp.queue(tenant_id, 't', '1-3') from h;
select is((select count(*)::int from nofx.hook_delivery where tenant_id = (select tenant_id from h)), 2);
select pg_temp.queue(tenant_id, 't', '1-4', (select id from nofx.hook_delivery where dedup_key = '1-3' and tenant_id = (select tenant_id from h))) from h;
select is((select count(*)::int from nofx.hook_delivery where tenant_id = (select tenant_id from h)), 2, 'its own run triggers no other tool');
select tap.be('admin');
select throws_ok($$ select nofx.enqueue_deliveries(tenant_id, '[]') from h $$, 'PT403', 'forbidden');
select * from finish();
rollback;
