begin;
select plan(6);
select tap.tenant();
select tap.be('admin');
select nofx.set_isolation('modal', 'L4', '{}');
select tap.tenant();
select tap.be('contributor');
select tap.submit('[{"name": "a", "tool": "bash"}, {"name": "b", "tool": "http"}, {"name": "c", "tool": "bash", "spec": {"min_isolation": "L1"}}]');
create function pg_temp.demanded(p_name text) returns jsonb language sql as $$
  select (d -> 'isolation')::jsonb from json_array_elements(nofx_private.describe_steps(array[tap.step(p_name)], null)) as d
$$;
select is(pg_temp.demanded('a'), 'null', 'settings of another tenant do not count');
select tap.be('admin');
select nofx.set_isolation('e2b', 'L2', '{"bash": "L3"}');
select is(pg_temp.demanded('a'), '{"driver": "e2b", "min_isolation": "L3"}', 'a run that was submitted earlier has them, too');
select is(pg_temp.demanded('b'), '{"driver": "e2b", "min_isolation": "L2"}');
select is(pg_temp.demanded('c'), '{"driver": "e2b", "min_isolation": "L3"}', 'whatever its plan says');
select tap.be_service();
create temporary table claim as select c from json_array_elements(nofx.claim_steps('w', 10)) as c;
select is((select (c -> 'isolation')::jsonb ->> 'min_isolation' from claim where c ->> 'name' = 'a'), 'L3', 'the claim has it');
select is((select count(*)::int from claim), 3);
select * from finish();
rollback;
