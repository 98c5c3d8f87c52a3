begin;
select plan(4);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('a'));
select nofx.set_hook('h', 'background', '', '{"kind": "webhook", "url": "sealed.k1.d3JhcHBlZA==.dXJs", "receiver": "example.com"}', tap.sealed('b'), true);
select nofx.set_webhook_source('s', 'github', tap.sealed('c'));
create temp table mine as select audit_id as id, 'payload' as kind from nofx.audit_payload where tenant_id = current_setting('tap.tenant')::uuid
  union all select id, 'hook' from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid
  union all select id, 'source' from nofx.webhook_source where tenant_id = current_setting('tap.tenant')::uuid;
create function pg_temp.stale(p_key text) returns setof jsonb language sql as $$
  select k::jsonb from json_array_elements(nofx.list_stale_keys(p_key, 1000)) as k where (k ->> 'id')::uuid in (select id from mine)
$$;
select throws_ok($$ select nofx.list_stale_keys('k1') $$, 'PT403', 'forbidden');
select tap.be_service();
select is((select count(*)::int from pg_temp.stale('k1')), 0, 'it is the current key');
select results_eq($$ select k ->> 'kind', count(*)::int from pg_temp.stale('k2') as k group by 1 order by 1 $$,
  $$ values ('hook_secret', 2), ('hook_target', 1), ('payload', 3), ('webhook_secret', 1) $$);
select is((select k ->> 'about' from pg_temp.stale('k2') as k where k ->> 'kind' = 'webhook_secret'), format('webhook_secret/%s/s', current_setting('tap.tenant')));
select * from finish();
rollback;
