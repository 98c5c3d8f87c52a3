begin;
select plan(8);
select tap.tenant();
create temporary table crowd as select current_setting('tap.tenant')::uuid as tenant;
select tap.run_of('loose', 800, '{"tool": "bash"}');
select tap.run_of('loose', 400, '{"tool": "bash"}');
select tap.be_service();
select nofx.set_quota((select tenant from crowd), p_parallel_sandboxes => 1);
select tap.tenant();
select tap.run_of('loose', 6);
create function pg_temp.of_crowd(p_state text) returns int language sql as $$
  select count(*)::int from nofx.step_queue d join crowd c on c.tenant = d.tenant_id where d.state::text = p_state
$$;
select tap.be_service();
create temporary table answer as select nofx.settle_steps('w', '[]', 8) as j;
select is((select count(*)::int from answer, json_array_elements(j -> 'claims') as c where c ->> 'run_id' = tap.run()::text), 6, 'nobody else waits');
select is(json_array_length(j -> 'claims'), 7, 'and its one program runs') from answer;
select is(array[pg_temp.of_crowd('quota'), pg_temp.of_crowd('ready')], array[500, 699], 'no call puts aside more than that');
select is(current_setting('nofx.woke_workers', true), 'yes', 'a worker is woken for those that are left');
select is(j ->> 'wake_for', '[]', 'a list, although no run was settled') from answer;
select tap.claim(8);
select tap.claim(8);
select is(array[pg_temp.of_crowd('quota'), pg_temp.of_crowd('ready')], array[1199, 0]);
select is((select count(*)::int from nofx.event e join crowd c on c.tenant = e.tenant_id where e.type = 'step.waiting'), 1199, 'each says so once');
select is(tap.claim(8), '{}');
select * from finish();
rollback;
