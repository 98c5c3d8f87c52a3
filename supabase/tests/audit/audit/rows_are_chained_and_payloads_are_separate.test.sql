begin;
select plan(5);
select tap.tenant();
select nofx_private.audit(current_setting('tap.tenant')::uuid, 'thing.done', 'x', null, '{"a": 1}');
select nofx_private.audit(current_setting('tap.tenant')::uuid, 'thing.done', 'y', null, null);
select results_eq($$ select seq, actor, target from nofx.audit_log order by seq $$, $$ values (1::bigint, 'a contributor', 'x'), (2, 'a contributor', 'y') $$);
select is((select hash from nofx.audit_log a where seq = 1), (select nofx_private.audit_hash(repeat('0', 64), a) from nofx.audit_log a where seq = 1));
select is((select hash from nofx.audit_log a where seq = 2),
  (select nofx_private.audit_hash((select hash from nofx.audit_log where seq = 1), a) from nofx.audit_log a where seq = 2));
select is(tap.opened(audit_id, sealed), '{"after": {"a": 1}}') from nofx.audit_payload where tenant_id = current_setting('tap.tenant')::uuid;
select is((select payload_hash from nofx.audit_log where seq = 1), encode(sha256(convert_to('{"after": {"a": 1}}', 'UTF8')), 'hex'));
select * from finish();
rollback;
