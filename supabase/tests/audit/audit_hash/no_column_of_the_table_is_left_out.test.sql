begin;
select plan(1);
create temp table r as select jsonb_populate_record(null::nofx.audit_log, '{"seq": 1, "actor": "a", "action": "b", "target": "c", "created_at": "2020-01-01"}') as a;
select is(array(
  select c.attname::text
    from r, pg_attribute c
   where c.attrelid = 'nofx.audit_log'::regclass and c.attnum > 0 and not c.attisdropped
     and nofx_private.audit_hash('0', a) = nofx_private.audit_hash('0', jsonb_populate_record(a, jsonb_build_object(c.attname, case c.atttypid
           when 'uuid'::regtype then gen_random_uuid()::text when 'bigint'::regtype then '2' when 'timestamptz'::regtype then '2021-01-01' else 'other' end)))),
  array['hash'], 'all columns but the hash are hashed');
select * from finish();
rollback;
