begin;
select plan(1);
select tap.tenant();
insert into nofx.db_write_rule (id, tenant_id, table_name, allowed_ops, constraints)
values (gen_random_uuid(), current_setting('tap.tenant')::uuid, 'public.t', '{insert}', '{}');
select is(tap.least_reader('nofx.db_write_rule'), 'viewer', 'db_write_rule');
select * from finish();
rollback;
