begin;
select plan(4);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
create temp table h as select id, tenant_id from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid;

select tap.be_service();
create temp table s as select tx, s.id from nofx.subscription s where tenant_id = (select tenant_id from h);
create function pg_temp.advance() returns boolean language sql as $$
  select nofx.advance_hook_cursor(h.tenant_id, s.tx, s.id, s.tx + 5, 7, jsonb_build_array(jsonb_build_object('hook_id', h.id, 'dedup_key', '5-7', 'body', '{}'))) from h, s
$$;
select is(pg_temp.advance(), true);
select is(pg_temp.advance(), false);
select is((select count(*)::int from nofx.hook_delivery where hook_id = (select id from h)), 1);
select tap.be('admin');
select throws_ok($$ select pg_temp.advance() $$, 'PT403', 'forbidden');
select * from finish();
rollback;
