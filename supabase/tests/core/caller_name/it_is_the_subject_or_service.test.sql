begin;
select plan(2);
select tap.tenant();
select is(nofx_private.caller_name(), 'a contributor');
select tap.be_service();
select is(nofx_private.caller_name(), 'service');
select * from finish();
rollback;
