begin;
select plan(2);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
create temp table h as select id, tenant_id from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid;
select tap.be_service();
create function pg_temp.unread() returns int language sql as $$
  select count(*)::int from json_array_elements(nofx.read_hook_events()) as u where u ->> 'tenant_id' = current_setting('tap.tenant')
$$;
-- This transaction is open, so its events are not read; those of an earlier one are.
update nofx.subscription set tx = 0, id = 0 where tenant_id = (select tenant_id from h);
delete from nofx.event where tenant_id = (select tenant_id from h);
insert into nofx.event (tenant_id, type) select tenant_id, 'run.paused' from h;
select is(pg_temp.unread(), 0, 'nothing that can still be rolled back');
update nofx.event set tx = pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 where tenant_id = (select tenant_id from h);
select is(pg_temp.unread(), 1);
select * from finish();
rollback;
