begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
insert into nofx.event (tx, tenant_id, type, data)
select pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, current_setting('tap.tenant')::uuid, 'e' || n, jsonb_build_object('a', repeat('x', 600000))
  from generate_series(1, 4) as n;
update nofx.subscription set tx = tx - 1, id = 0 where tenant_id = current_setting('tap.tenant')::uuid;
select tap.be_service();
select results_eq($$ select e ->> 'type' from json_array_elements(nofx.read_hook_events()) as u, json_array_elements(u -> 'events') as e
  where u ->> 'tenant_id' = current_setting('tap.tenant') and e ->> 'type' like 'e_' $$, $$ values ('e1'), ('e2') $$, 'the others come with the next call');
select * from finish();
rollback;
