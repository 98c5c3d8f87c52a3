begin;
select plan(3);
select tap.tenant();
select nofx_private.audit(current_setting('tap.tenant')::uuid, 'thing.done', n::text, null, '1') from generate_series(1, 2) as n;
select throws_ok($$ select nofx.list_unsealed_payloads('k1') $$, 'PT403', 'forbidden');
select tap.be_service();
update nofx.audit_payload set plain = null, sealed = 's', key_id = 'k1', wrapped_key = 'w' where audit_id = (select id from nofx.audit_log where seq = 1 and tenant_id = current_setting('tap.tenant')::uuid);
create function pg_temp.listed(p_key text) returns int language sql as $$
  select count(*)::int from json_array_elements(nofx.list_unsealed_payloads(p_key)) as t where t ->> 'tenant_id' = current_setting('tap.tenant')
$$;
select is(pg_temp.listed('k1'), 1);
select is(pg_temp.listed('k2'), 2);
select * from finish();
rollback;
