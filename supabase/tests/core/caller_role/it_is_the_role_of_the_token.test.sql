begin;
select plan(2);
select tap.tenant();
select tap.be('supervisor');
select is(nofx_private.caller_role()::text, 'supervisor');
select tap.be_service();
select is(nofx_private.caller_role(), null, 'the service has no person role');
select * from finish();
rollback;
