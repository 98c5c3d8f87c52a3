begin;
select plan(5);
select tap.tenant();
insert into nofx.retention (tenant_id, what, days) values (current_setting('tap.tenant')::uuid, 'events', 1);
insert into nofx.person (tenant_id, id, email, role) values (current_setting('tap.tenant')::uuid, 'a', 'a@example.org', 'viewer');
-- A year ahead there is no partition. No person has a right to the default one: the policy applies if one is granted.
insert into nofx.event (tenant_id, type, created_at) values (current_setting('tap.tenant')::uuid, 'e', now() + interval '1 year');
grant select on nofx.event_default to nofx_api;
select is(tap.least_reader('nofx.tenant'), 'viewer', 'tenant');
select is(tap.least_reader('nofx.retention'), 'viewer', 'retention');
select is(tap.least_reader('nofx.person'), 'viewer', 'person');
select is(tap.least_reader('nofx.event'), 'viewer', 'event');
select is(tap.least_reader('nofx.event_default'), 'viewer', 'event_default');
select * from finish();
rollback;
