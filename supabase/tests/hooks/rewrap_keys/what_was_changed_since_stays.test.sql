begin;
select plan(6);
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
select throws_ok($$ select nofx.rewrap_keys('[]') $$, 'PT403', 'forbidden');
select tap.be_service();
create temp table keys as select jsonb_agg(k || jsonb_build_object('now', replace(replace(k ->> 'was', 'sealed.k1.', 'sealed.k2.'), 'k1.d3Jh', 'k2.bmV3'))) as all_of
  from pg_temp.stale('k2') as k;
select is((select nofx.rewrap_keys(all_of) from keys), 6, 'three payloads, a target, both secrets of the hook, the secret of the source');
select is((select count(*)::int from pg_temp.stale('k2')), 0);
select is((select secrets from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid),
  array[replace(tap.sealed('b'), 'k1', 'k2'), replace(tap.sealed('a'), 'k1', 'k2')], 'in their order');
select is((select nofx.rewrap_keys(all_of) from keys), 0, 'listed before: nothing is changed back');
select is((select nofx.rewrap_keys(jsonb_build_array(jsonb_build_object('kind', 'hook_target', 'id', id, 'was', target ->> 'url', 'now', 'https://plain')))
             from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid), 0, 'only by what is sealed');
select * from finish();
rollback;
