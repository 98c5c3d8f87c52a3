begin;
select plan(2);
select tap.tenant();
insert into nofx.isolation (tenant_id, changed_by) values (current_setting('tap.tenant')::uuid, 'a');
select is(tap.least_reader('nofx.isolation'), 'viewer', 'isolation');
select tap.be('admin');
select throws_ok($$ select tap.seen('delete from nofx.isolation returning changed_by') $$, '42501', null, 'only set_isolation writes it');
select * from finish();
rollback;
