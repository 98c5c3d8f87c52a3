begin;
select plan(4);
select tap.tenant();
insert into nofx.gate_policy (id, tenant_id, tool, requires, approval, changed_by)
values (nofx_private.uuid_v7(), current_setting('tap.tenant')::uuid, 'git:pr', '["gate:unit"]', null, 'x'),
       (nofx_private.uuid_v7(), current_setting('tap.tenant')::uuid, 'noop', '[]', '{"role": "admin"}', 'x');
select tap.submit('[{"name": "pr", "tool": "git:pr", "spec": {"for_each": null}}, {"name": "asks", "tool": "noop", "spec": {"for_each": null}},
  {"name": "spawns", "tool": "git:pr", "spec": {"for_each": "[1]"}}]');
create function pg_temp.hold(p_name text) returns jsonb language sql as $$ select nofx_private.hold_for(s) from nofx.step s where s.id = tap.step(p_name) $$;
select ok(pg_temp.hold('pr') ? 'refuse', 'its gate is required');
select ok(pg_temp.hold('asks') ? 'approval', 'and its approval');
select is(pg_temp.hold('spawns'), null, 'one that spawns is held child by child');
select is((select d ->> 'children' from json_array_elements(nofx_private.describe_steps(array[tap.step('pr')], null)) as d), null, 'and has no children');
select * from finish();
rollback;
