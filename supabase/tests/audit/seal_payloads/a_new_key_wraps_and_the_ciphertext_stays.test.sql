begin;
select plan(3);
select tap.tenant();
select nofx_private.audit(current_setting('tap.tenant')::uuid, 'thing.done', 'x', null, '1');
select throws_ok($$ select nofx.seal_payloads('[]') $$, 'PT403', 'forbidden');
select tap.be_service();
select nofx.seal_payloads(jsonb_build_array(jsonb_build_object('audit_id', id, 'sealed', 's', 'key_id', 'k1', 'wrapped_key', 'w1')))
  from nofx.audit_log where tenant_id = current_setting('tap.tenant')::uuid;
select nofx.seal_payloads(jsonb_build_array(jsonb_build_object('audit_id', id, 'sealed', 'other', 'key_id', 'k2', 'wrapped_key', 'w2', 'was', 'w1')))
  from nofx.audit_log where tenant_id = current_setting('tap.tenant')::uuid;
select results_eq($$ select plain, sealed, key_id, wrapped_key from nofx.audit_payload where tenant_id = current_setting('tap.tenant')::uuid $$,
  $$ values (null::text, 's', 'k2', 'w2') $$);
select is(nofx.seal_payloads(jsonb_build_array(jsonb_build_object('audit_id', id, 'sealed', 'late', 'key_id', 'k1', 'wrapped_key', 'w1'))), 0, 'a sealed payload is not sealed again')
  from nofx.audit_log where tenant_id = current_setting('tap.tenant')::uuid;
select * from finish();
rollback;
