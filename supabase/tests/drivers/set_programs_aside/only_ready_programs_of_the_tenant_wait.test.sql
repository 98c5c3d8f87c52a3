begin;
select plan(4);
select tap.tenant();
select tap.run_of('loose', 1, '{"tool": "bash"}');
create temporary table other as select tap.step('s0') as id;
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "bash"}, {"name": "b", "tool": "noop"}, {"name": "c", "tool": "gate:unit"}, {"name": "each", "tool": "bash", "spec": {"for_each": "x"}}]');
select is((select array_agg(e.data ->> 'name' order by e.data ->> 'name')
             from unnest(nofx_private.set_programs_aside(current_setting('tap.tenant')::uuid, 1000)) as e), array['a', 'c']);
select is((select array_agg(s.name order by s.name) from nofx.step_queue d join nofx.step s on s.id = d.step_id where d.run_id = tap.run() and d.state = 'ready'), array['b', 'each']);
select is((select d.state::text from nofx.step_queue d join other on other.id = d.step_id), 'ready');
select is(nofx_private.set_programs_aside(current_setting('tap.tenant')::uuid, 1000), null, 'those that wait say so once');
select * from finish();
rollback;
