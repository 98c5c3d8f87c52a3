begin;
select plan(5);
select tap.tenant();
-- The key that tap.bring_key sends.
create function pg_temp.opened(p_id uuid, p_sealed text) returns text language plpgsql as $$
declare
  v_all bytea := decode(p_sealed, 'base64');
  v_key bytea := sha256('key');
  v_end int := length(v_all) - 32;
begin
  if extensions.hmac(uuid_send(p_id) || substr(v_all, 1, v_end), extensions.hmac('authenticate'::bytea, v_key, 'sha256'), 'sha256') <> substr(v_all, v_end + 1) then
    return 'forged';
  end if;
  return convert_from(extensions.decrypt_iv(substr(v_all, 17, v_end - 16), extensions.hmac('encrypt'::bytea, v_key, 'sha256'), substr(v_all, 1, 16), 'aes-cbc/pad:pkcs'), 'UTF8');
end
$$;
select nofx_private.audit(current_setting('tap.tenant')::uuid, 'thing.done', 'x', null, '{"a": 1}');
select nofx_private.audit(current_setting('tap.tenant')::uuid, 'thing.done', 'y', null, null);
select results_eq($$ select seq, actor, target from nofx.audit_log order by seq $$, $$ values (1::bigint, 'a contributor', 'x'), (2, 'a contributor', 'y') $$);
select is((select hash from nofx.audit_log a where seq = 1), (select nofx_private.audit_hash(repeat('0', 64), a) from nofx.audit_log a where seq = 1));
select is((select hash from nofx.audit_log a where seq = 2),
  (select nofx_private.audit_hash((select hash from nofx.audit_log where seq = 1), a) from nofx.audit_log a where seq = 2));
select is(pg_temp.opened(audit_id, sealed), '{"after": {"a": 1}}') from nofx.audit_payload where tenant_id = current_setting('tap.tenant')::uuid;
select is((select payload_hash from nofx.audit_log where seq = 1), encode(sha256(convert_to('{"after": {"a": 1}}', 'UTF8')), 'hex'));
select * from finish();
rollback;
