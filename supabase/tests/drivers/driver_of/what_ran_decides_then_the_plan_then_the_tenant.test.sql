begin;
select plan(9);
select tap.tenant();
select tap.submit('[{"name": "plain", "tool": "bash"}, {"name": "own", "tool": "bash", "spec": {"driver": "modal"}}, {"name": "task", "tool": "bash", "spec": {"placement": "task"}}]');
create function pg_temp.driver(p_name text, p_isolation jsonb) returns text language sql as $$
  select nofx_private.driver_of(s, p_isolation) from nofx.step s where s.id = tap.step(p_name)
$$;
select is(pg_temp.driver('plain', null), 'worker-container');
select is(pg_temp.driver('plain', '{"driver": "e2b"}'), 'e2b');
select is(pg_temp.driver('plain', '{"driver": "worker-container", "level": "L4"}'), 'task', 'its worker sent it there');
select is(pg_temp.driver('plain', '{"driver": "worker-container", "level": "L3"}'), 'worker-container');
select is(pg_temp.driver('own', '{}'), 'modal');
select is(pg_temp.driver('task', null), 'task');
select is(pg_temp.driver('task', '{"driver": "worker-container"}'), 'task');
select is(pg_temp.driver('task', '{"driver": "e2b"}'), 'e2b', 'it ran elsewhere');
insert into nofx.isolation (tenant_id, default_driver, changed_by) values (current_setting('tap.tenant')::uuid, 'e2b', 'x');
select is(pg_temp.driver('plain', '[]'), 'e2b');
select * from finish();
rollback;
