begin;
select plan(2);
select tap.tenant();
select is(nofx_private.events_since(), now() - interval '90 days');
insert into nofx.retention (tenant_id, what, days) values (current_setting('tap.tenant')::uuid, 'events', 3);
select is(nofx_private.events_since(), now() - interval '3 days');
select * from finish();
rollback;
