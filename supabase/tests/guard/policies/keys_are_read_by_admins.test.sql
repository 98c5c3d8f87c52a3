begin;
select plan(1);
select tap.tenant();
insert into nofx.api_key (id, tenant_id, name, role, hash, prefix, created_by) values (gen_random_uuid(), current_setting('tap.tenant')::uuid, 'k', 'viewer', 'h', 'p', 'a');
select is(tap.least_reader('nofx.api_key'), 'admin');
select * from finish();
rollback;
