begin;
select plan(3);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
create temp table h as select id, tenant_id from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid;

select throws_ok($$ select nofx.request_hooks(tenant_id) from h $$, 'PT403', 'forbidden');
select nofx.set_hook('p', 'pre', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
select tap.be_service();
select is(nofx.request_hooks(tenant_id) -> 'hooks' -> 0 ->> 'name', 'p') from h;
select is(json_array_length(nofx.request_hooks(tenant_id) -> 'hooks'), 1) from h;
select * from finish();
rollback;
