begin;
select plan(6);
select tap.tenant();
insert into nofx.person (tenant_id, id, email, role) values
  (current_setting('tap.tenant')::uuid, 'a viewer', 'v@x', 'viewer'), (current_setting('tap.tenant')::uuid, 'a contributor', 'c@x', 'admin'),
  (current_setting('tap.tenant')::uuid, 'a supervisor', 's@x', 'supervisor'), (current_setting('tap.tenant')::uuid, 'an admin', 'a@x', 'admin');
create temporary table ours as select current_setting('tap.tenant') as id;
select tap.tenant();
insert into nofx.person (tenant_id, id, email, role) values (current_setting('tap.tenant')::uuid, 'b', 'other@x', 'admin');
select set_config('tap.tenant', id, true) from ours;
select tap.run_of('loose', 1);
select tap.be('supervisor');
create temporary table gate as select (nofx.request_gate(tap.run(), tap.step('s0'), 'manual:x') ->> 'id')::uuid as id;
create function pg_temp.people() returns jsonb language sql as $$ select nofx_private.deciders(g) -> 'people' from nofx.gate g where id = (select id from gate) $$;
select is(pg_temp.people(), '["a@x", "c@x", "s@x"]', 'the author may approve');
update nofx.gate set author_may_approve = false, approvals_required = 2 where id = (select id from gate);
select is(pg_temp.people(), '["a@x", "s@x"]', 'the author may not');
select nofx.decide_gate((select id from gate), 'approve');
select is(pg_temp.people(), '["a@x"]', 'who has approved is not asked again');
select is((select nofx_private.deciders(g) - 'people' - 'gate_id' from nofx.gate g where id = (select id from gate)),
  '{"gate_type": "manual:x", "role": "supervisor", "approvals": 1, "approvals_required": 2, "author_may_approve": false}');
update nofx.gate set role = 'admin' where id = (select id from gate);
select is(pg_temp.people(), '["a@x"]');
insert into nofx.person (tenant_id, id, email, role) select current_setting('tap.tenant')::uuid, n::text, n || '@x', 'admin' from generate_series(1, 30) as n;
select is(jsonb_array_length(pg_temp.people()), 20);
select * from finish();
rollback;
