begin;
select plan(7);
select tap.tenant();
select tap.be('admin');
select nofx.set_hook('h', 'pre', '', '{"kind": "webhook", "url": "https://example.com"}', 'whsec_a');
create temporary table h as select id, tenant_id from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid;
select tap.be_service();
select nofx.queue_deliveries(tenant_id, jsonb_build_array(jsonb_build_object('hook_id', id, 'subject', 'own', 'body', '{}'))) from h;

select tap.tenant();
select tap.be_service();
select is(json_array_length(nofx.hooks_of_requests(current_setting('tap.tenant')::uuid) -> 'hooks'), 0, 'another tenant asks none of them');
select nofx.queue_deliveries(current_setting('tap.tenant')::uuid, jsonb_build_array(jsonb_build_object('hook_id', id, 'subject', 'other', 'body', '{}'))) from h;
select is((select array_agg(subject) from nofx.hook_delivery where hook_id = (select id from h)), array['own'], 'and tells none of them');
select tap.be('admin');
select throws_ok($$ select nofx.drop_hook(id) from h $$, 'PT404', 'hook-not-found');
select throws_ok($$ select nofx.replay_delivery(id) from nofx.hook_delivery where subject = 'own' $$, 'PT404', 'delivery-not-found');

select tap.be('admin', tenant_id) from h;
select lives_ok($$ select nofx.replay_delivery(id) from nofx.hook_delivery where subject = 'own' $$);
select is((select count(*)::int from nofx.hook where id = (select id from h)), 1);
select lives_ok($$ select nofx.drop_hook(id) from h $$);
select * from finish();
rollback;
