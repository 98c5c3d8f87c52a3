begin;
select plan(3);
create temp table r as select row (gen_random_uuid(), 1, gen_random_uuid(), 'a', 'b', 'c', null, null, null, null, null, now(), '')::nofx.audit_log as a;
select isnt(nofx_private.audit_hash('0', a), nofx_private.audit_hash('1', a)) from r;
select isnt(nofx_private.audit_hash('0', a), nofx_private.audit_hash('0', jsonb_populate_record(a, '{"address": ""}'))) from r;
select isnt(nofx_private.audit_hash('0', jsonb_populate_record(a, '{"actor": "ab", "action": "c"}')),
            nofx_private.audit_hash('0', jsonb_populate_record(a, '{"actor": "a", "action": "bc"}'))) from r;
select * from finish();
rollback;
