begin;
select plan(7);
select tap.tenant();
select tap.submit('[{"name": "unit", "tool": "gate:unit"}, {"name": "push", "tool": "git:push"}]');
select tap.claim();
create function pg_temp.check(p_trees text[]) returns jsonb language sql as $$
  select nofx.check_verdicts(id, lease_token, p_trees)::jsonb from nofx.step where id = tap.step('push')
$$;
create function pg_temp.verdict(p_mark text) returns uuid language sql as $$
  select nofx.record_gate(id, lease_token, true, 'x', tap.asked(), repeat(p_mark, 40)) from nofx.step where id = tap.step('unit')
$$;
insert into nofx.gate_policy (id, tenant_id, tool, requires, approval, changed_by)
values (nofx_private.uuid_v7(), current_setting('tap.tenant')::uuid, 'git:push', '[]', null, 'x');
select is(pg_temp.check(array[repeat('a', 40)]), '{"is_required": false, "missing": null}', 'no gate is required');
update nofx.gate_policy set requires = '["gate:unit"]' where tool = 'git:push' and tenant_id is not null;
select pg_temp.verdict('a');
select is(pg_temp.check(array[repeat('a', 40)]), '{"is_required": true, "missing": null}');
select is(pg_temp.check(array[repeat('a', 40), repeat('b', 40)]) -> 'missing', jsonb_build_object('tree', repeat('b', 40), 'gates', '["gate:unit"]'::jsonb));
select pg_temp.verdict('b');
select is(pg_temp.check(array[repeat('a', 40), repeat('b', 40)]) -> 'missing', 'null', 'each has a verdict of its own');
update nofx.gate_policy set requires = '[{"gate": "gate:unit", "min_tests": 1000}]' where tool = 'git:push' and tenant_id is not null;
select matches(pg_temp.check(array[repeat('b', 40)]) #>> '{missing,gates,0}', '^gate:unit .min_tests: .*1000', 'a verdict that is too weak is none');
select is(nofx.check_verdicts(tap.step('push'), gen_random_uuid(), '{}')::text, null, 'the lease has expired');
select tap.be('admin');
select throws_ok($$ select nofx.check_verdicts(gen_random_uuid(), gen_random_uuid(), '{}') $$, 'PT403', 'forbidden');
select * from finish();
rollback;
