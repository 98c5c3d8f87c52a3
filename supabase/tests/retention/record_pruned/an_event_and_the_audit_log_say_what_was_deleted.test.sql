begin;
select plan(5);
select tap.tenant();
select tap.be_service();
select nofx_private.record_pruned(current_setting('tap.tenant')::uuid, 'runs', 0, now());
select is_empty($$ select from nofx.event where type = 'history.pruned' and tenant_id = current_setting('tap.tenant')::uuid $$, 'nothing was deleted');
select is_empty($$ select from nofx.audit_log where tenant_id = current_setting('tap.tenant')::uuid $$);
select nofx_private.record_pruned(current_setting('tap.tenant')::uuid, 'runs', 1, '2026-01-01', array['00000000-0000-0000-0000-00000000000a'::uuid]);
select is((select data from nofx.event where type = 'history.pruned' and tenant_id = current_setting('tap.tenant')::uuid),
  '{"what": "runs", "count": 1, "before": "2026-01-01T00:00:00.000Z"}');
select is((select action || ' ' || target || ' ' || actor from nofx.audit_log where tenant_id = current_setting('tap.tenant')::uuid), 'history.pruned runs service');
select is((select tap.opened(audit_id, sealed)::jsonb -> 'before' -> 'ids' from nofx.audit_payload where tenant_id = current_setting('tap.tenant')::uuid), '["00000000-0000-0000-0000-00000000000a"]');
select * from finish();
rollback;
