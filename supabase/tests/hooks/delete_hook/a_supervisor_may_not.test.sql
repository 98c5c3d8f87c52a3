begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
select tap.be('supervisor');
select throws_ok($$ select nofx.delete_hook(id) from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid $$, 'PT403', 'forbidden');
select * from finish();
rollback;
