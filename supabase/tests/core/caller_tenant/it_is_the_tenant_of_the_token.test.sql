begin;
select plan(2);
select is(nofx_private.caller_tenant(), null, 'without a token there is none');
select tap.tenant();
select is(nofx_private.caller_tenant(), current_setting('tap.tenant')::uuid);
select * from finish();
rollback;
