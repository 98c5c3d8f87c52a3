begin;
select plan(6);
create schema if not exists nofx_hooks;
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "https://example.com"}', 'whsec_a');
create temp table h as select id, tenant_id from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid;

select throws_ok($$ select nofx.set_hook('x', 'pre', '', '{"kind": "tool", "tool": "bash"}') $$, 'PT422', 'invalid-hook');
select throws_ok($$ select nofx.set_hook('x', 'post', '', '{"kind": "webhook", "url": "file:///etc/passwd"}') $$, 'PT422', 'invalid-hook');
select throws_ok($$ select nofx.set_hook('x', 'post', '', '{"kind": "function", "name": "nothing"}') $$, 'PT422', 'invalid-hook');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "https://example.com"}', 'whsec_b');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "https://example.com"}', 'whsec_c');
select is((select secrets from nofx.hook where id = (select id from h)), array['whsec_c', 'whsec_b']);
select is((select count(*)::int from nofx.subscription where tenant_id = (select tenant_id from h)), 1);
select tap.be('supervisor');
select throws_ok($$ select nofx.set_hook('h', 'post', '', '{}') $$, 'PT403', 'forbidden');
select * from finish();
rollback;
