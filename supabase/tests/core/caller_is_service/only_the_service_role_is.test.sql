begin;
select plan(2);
select tap.tenant();
select ok(not nofx_private.caller_is_service(), 'a person is not the service');
select tap.be_service();
select ok(nofx_private.caller_is_service());
select * from finish();
rollback;
