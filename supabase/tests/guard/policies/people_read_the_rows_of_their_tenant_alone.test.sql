begin;
select plan(2);
select tap.tenant();
insert into nofx.quota (tenant_id) values (current_setting('tap.tenant')::uuid);
insert into nofx.allowed_network (tenant_id, network) values (current_setting('tap.tenant')::uuid, '10.0.0.0/8');
select is(tap.least_reader('nofx.quota'), 'viewer', 'quota');
select is(tap.least_reader('nofx.allowed_network'), 'viewer', 'allowed_network');
select * from finish();
rollback;
