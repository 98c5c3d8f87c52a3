begin;
select plan(2);
select tap.tenant();
select is(nofx_private.require_role('viewer', gen_random_uuid()), current_setting('tap.tenant')::uuid, 'a person acts for their own tenant');
select tap.be_service();
select is(nofx_private.require_role('admin', '00000000-0000-0000-0000-00000000000a'), '00000000-0000-0000-0000-00000000000a'::uuid);
select * from finish();
rollback;
