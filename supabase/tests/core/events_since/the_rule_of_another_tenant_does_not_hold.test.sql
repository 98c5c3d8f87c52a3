-- supabase/tests/core/events_since/the_rule_of_another_tenant_does_not_hold.test.sql
begin;
select plan(2);
select tap.be_service();
select nofx.create_tenant('00000000-0000-0000-0000-000000000001', 'first');
insert into nofx.retention (tenant_id, event_days) values ('00000000-0000-0000-0000-000000000001', 3);
select tap.tenant();
select is(nofx_private.events_since(), now() - interval '90 days');
select tap.be('viewer', '00000000-0000-0000-0000-000000000001');
select is(nofx_private.events_since(), now() - interval '3 days');
select * from finish();
rollback;
