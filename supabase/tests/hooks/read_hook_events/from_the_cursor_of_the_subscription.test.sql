begin;
select plan(3);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
create temp table h as select id, tenant_id from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid;

select throws_ok($$ select nofx.read_hook_events() $$, 'PT403', 'forbidden');
select tap.be_service();
create function pg_temp.unread() returns int language sql as $$
  select count(*)::int from json_array_elements(nofx.read_hook_events()) as u where u ->> 'tenant_id' = current_setting('tap.tenant')
$$;
select is(pg_temp.unread(), 0, 'earlier events are not delivered');
insert into nofx.event (tx, tenant_id, type) select pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, tenant_id, 'run.paused' from h;
update nofx.subscription set tx = tx - 1, id = 0 where tenant_id = (select tenant_id from h);
select is(pg_temp.unread(), 1);
select * from finish();
rollback;
