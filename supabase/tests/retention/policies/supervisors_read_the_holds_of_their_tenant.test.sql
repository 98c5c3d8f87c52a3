begin;
select plan(1);
select tap.tenant();
insert into nofx.legal_hold (id, tenant_id, reason, created_by) values (gen_random_uuid(), current_setting('tap.tenant')::uuid, 'r', 'a');
select is(tap.least_reader('nofx.legal_hold'), 'supervisor');
select * from finish();
rollback;
