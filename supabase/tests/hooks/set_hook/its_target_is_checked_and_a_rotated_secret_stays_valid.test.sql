begin;
select plan(10);
create schema if not exists nofx_hooks;
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
create temp table h as select id, tenant_id from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid;

select throws_ok($$ select nofx.set_hook('x', 'pre', '', '{"kind": "tool", "tool": "bash"}') $$, 'PT422', 'invalid-hook');
select throws_ok($$ select nofx.set_hook('x', 'post', '', '{"kind": "webhook", "url": "https://example.com/token", "receiver": "example.com"}') $$, 'PT422', 'invalid-hook', 'a URL in plain text');
select throws_ok($$ select nofx.set_hook('x', 'post', '', '{"kind": "tool", "tool": "noop", "inputs": "a token"}') $$, 'PT422', 'invalid-hook', 'inputs in plain text');
select throws_ok($$ select nofx.set_hook('x', 'post', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', 'whsec_plain') $$,
  'PT422', 'invalid-hook', 'a secret in plain text');
select throws_ok($$ update nofx.hook set secrets = array['whsec_plain'] where id = (select id from h) $$, '23514', null, 'nor by any other way');
select throws_ok($$ select nofx.set_hook('x', 'post', '', '{"kind": "function", "name": "nothing"}') $$, 'PT422', 'invalid-hook');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_b'), true);
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_c'), true);
select is(nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_d')) ->> 'secret', null, 'it has one');
select is((select secrets from nofx.hook where id = (select id from h)), array[tap.sealed('whsec_c'), tap.sealed('whsec_b')]);
select is((select count(*)::int from nofx.subscription where tenant_id = (select tenant_id from h)), 1);
select tap.be('supervisor');
select throws_ok($$ select nofx.set_hook('h', 'post', '', '{}') $$, 'PT403', 'forbidden');
select * from finish();
rollback;
