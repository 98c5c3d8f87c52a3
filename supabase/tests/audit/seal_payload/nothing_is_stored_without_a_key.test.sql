begin;
select plan(7);
select tap.tenant();
create function pg_temp.write(p_key text) returns void language plpgsql as $$
begin
  perform set_config('request.headers', json_build_object('x-nofx-audit-key', p_key)::text, true);
  perform nofx_private.audit(current_setting('tap.tenant')::uuid, 'thing.done', 'x', null, '{"secret": "of the payload"}');
end
$$;
select throws_ok(format('select pg_temp.write(%L)', key), 'PT403', 'forbidden', coalesce(key, 'none'))
  from unnest(array[null, '', 'k1', 'k1.' || repeat('d3Jh', 20) || '.c2hvcnQ=', 'k 1.' || repeat('d3Jh', 20) || '.' || encode(sha256('key'), 'base64')]) as key;
select is_empty($$ select from nofx.audit_log where tenant_id = current_setting('tap.tenant')::uuid $$, 'nor is there a row without its payload');
select tap.bring_key();
select nofx_private.audit(current_setting('tap.tenant')::uuid, 'thing.done', n::text, null, '{"secret": "of the payload"}') from generate_series(1, 2) as n;
select is((select count(distinct sealed)::int from nofx.audit_payload where tenant_id = current_setting('tap.tenant')::uuid and key_id = 'k1' and sealed !~ 'secret'), 2,
  'the same payload under the same key is sealed otherwise each time');
select * from finish();
rollback;
