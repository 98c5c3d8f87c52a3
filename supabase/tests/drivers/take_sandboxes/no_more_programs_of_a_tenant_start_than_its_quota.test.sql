begin;
select plan(17);
select tap.tenant();
select tap.run_of('loose', 3, '{"tool": "bash"}');
create temporary table other as select current_setting('tap.tenant')::uuid as tenant, tap.run() as run;
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "bash"}, {"name": "b", "tool": "gate:unit"}, {"name": "c", "tool": "bash"}, {"name": "d", "tool": "bash"},
  {"name": "plain", "tool": "noop"}, {"name": "each", "tool": "bash", "spec": {"for_each": "x"}}]');
select tap.be_service();
select nofx.set_quota(current_setting('tap.tenant')::uuid, p_parallel_sandboxes => 2);
create function pg_temp.waits() returns text[] language sql as $$
  select array_agg(s.name order by s.name) from nofx.step_queue d join nofx.step s on s.id = d.step_id where d.run_id = tap.run() and d.state = 'quota'
$$;
select is(tap.claim(), array['a', 'b', 'each', 'plain', 's0', 's1', 's2'], 'the oldest, what runs no program, and all of the other tenant');
select is(pg_temp.waits(), array['c', 'd']);
select is(tap.status('c'), 'ready');
select is((select array_agg(s.name order by s.name) from nofx.sandbox_slot x join nofx.step s on s.id = x.step_id), array['a', 'b'], 'slots are of limited tenants');
select is((select array_agg(data::text) from nofx.event where step_id = tap.step('c') and type = 'step.waiting'),
  array['{"name": "c", "tool": "bash", "quota": "parallel_sandboxes", "attempt": 1, "waits_for": "quota"}'], 'it says so once');
select is(tap.claim(), '{}', 'they are not tried again and again');
select is((select count(*)::int from nofx.event where step_id = tap.step('c') and type = 'step.waiting'), 1);
select tap.settle('plain');
select is(pg_temp.waits(), array['c', 'd'], 'it had no sandbox');
select is((select array_agg(c ->> 'name') from json_array_elements(tap.settle('a', p_capacity => 5) -> 'claims') as c), array['c'], 'the settling worker gets the next one');
select is(pg_temp.waits(), array['d']);
select tap.settle('b', 'gate', '{"gate": {"question": "go?"}}');
select is(tap.claim(), array['d'], 'a step that is parked has no sandbox');
select is((select count(*)::int from nofx.sandbox_slot), 2, 'those that ended are gone');
-- It is decided: it needs a sandbox again.
update nofx.step set status = 'ready', waits_for = null, ready_at = now() where id = tap.step('b');
select nofx_private.enqueue_steps(array[tap.step('b')]);
select is(tap.claim(), '{}');
select is(pg_temp.waits(), array['b']);
select nofx.set_quota(current_setting('tap.tenant')::uuid, p_parallel_sandboxes => 1);
select tap.settle('c');
select is(tap.claim(), '{}', 'a lower quota applies at once: one still runs');
select tap.settle('d');
select is(tap.claim(), array['b']);
select is((select count(*)::int from nofx.step s join other on s.run_id = other.run where s.status = 'running'), 3, 'the other tenant never waited');
select * from finish();
rollback;
