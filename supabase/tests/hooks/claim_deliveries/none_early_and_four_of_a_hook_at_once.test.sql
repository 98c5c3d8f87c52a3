begin;
select plan(6);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('whsec_a'));
create temp table h as select id, tenant_id from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid;
select tap.be_service();
select nofx.enqueue_deliveries(tenant_id, (select jsonb_agg(jsonb_build_object('hook_id', id, 'dedup_key', n::text, 'body', '{}')) from generate_series(1, 6) as n)) from h;
create function pg_temp.claimed() returns int language sql as $$
  select count(*)::int from json_array_elements(nofx.claim_deliveries(100) -> 'due') as t where t ->> 'tenant_id' = current_setting('tap.tenant')
$$;
update nofx.hook_delivery set next_at = now() + interval '1 minute' where hook_id = (select id from h);
select is(pg_temp.claimed(), 0, 'none is due');
update nofx.hook_delivery set next_at = now() where id = (select id from nofx.hook_delivery where hook_id = (select id from h) order by id desc limit 1);
select is(pg_temp.claimed(), 1, 'deliveries that are not due do not count');
update nofx.hook_delivery set next_at = now() where hook_id = (select id from h);
select is(pg_temp.claimed(), 3, 'at most four of a hook, with those that are underway');
select is(pg_temp.claimed(), 0);
select nofx.record_delivery_attempt(id, '{"duration_ms": 1, "status": 200, "delivered": true}') from nofx.hook_delivery where claimed_until is not null order by id limit 1;
select is(pg_temp.claimed(), 1, 'one has ended');
update nofx.hook_delivery set claimed_until = now() - interval '1 second' where claimed_until is not null;
select is(pg_temp.claimed(), 4, 'their worker died');
select * from finish();
rollback;
