begin;
select plan(2);
select tap.be_service();
create temp table many as select nofx_private.uuid_v7() as id, n from generate_series(1, 22) as n;
select nofx.create_tenant(id, 'many') from many;
insert into nofx.hook (id, tenant_id, name, phase, target, created_by) select nofx_private.uuid_v7(), id, 'h', 'background', '{"kind": "slack", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "a"}', 'a' from many;
insert into nofx.subscription (tenant_id, name, tx, id, changed_at) select id, 'hooks', 0, 0, now() - make_interval(mins => n) from many;
insert into nofx.event (tx, tenant_id, type) select pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, id, 'run.paused' from many;
create function pg_temp.unread() returns int[] language sql as $$
  select array_agg(m.n order by m.n) from json_array_elements(nofx.read_hook_events()) as u join many m on m.id::text = u ->> 'tenant_id'
$$;
select is(pg_temp.unread(), array(select generate_series(3, 22)));
update nofx.subscription s set changed_at = now() from many m where m.id = s.tenant_id and m.n > 2;
select is((pg_temp.unread())[1:2], array[1, 2], 'then the others');
select * from finish();
rollback;
