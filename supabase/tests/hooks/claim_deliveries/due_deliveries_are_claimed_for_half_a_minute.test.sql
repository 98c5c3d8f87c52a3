begin;
select plan(3);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
create temp table h as select id, tenant_id from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid;
select tap.be_service();
select nofx.enqueue_deliveries(tenant_id, jsonb_build_array(jsonb_build_object('hook_id', id, 'dedup_key', '1-1', 'body', '{}'))) from h;
create temp table d as select id from nofx.hook_delivery where hook_id = (select id from h);
grant select on h, d to public;

create function pg_temp.claimed() returns int language sql as $$
  select count(*)::int from json_array_elements(nofx.claim_deliveries(100) -> 'due') as t where t ->> 'id' = (select id::text from d)
$$;
select is(pg_temp.claimed(), 1);
select is(pg_temp.claimed(), 0);
select tap.be('admin');
select throws_ok($$ select nofx.claim_deliveries() $$, 'PT403', 'forbidden');
select * from finish();
rollback;
