begin;
select plan(2);
select tap.tenant();
select nofx_private.audit(current_setting('tap.tenant')::uuid, 'a.b', 'c', null, '{}');
select is(tap.least_reader('nofx.audit_log'), 'supervisor', 'audit_log');
select is(tap.least_reader('nofx.audit_payload'), 'supervisor', 'audit_payload');
select * from finish();
rollback;
