begin;
select plan(6);
select tap.tenant();
select tap.be('admin');
select nofx.set_isolation('modal', 'L4', '{}', '{"modal": "theirs"}', '["theirs"]');
select tap.tenant();
select tap.be('contributor');
select tap.submit('[{"name": "a", "tool": "bash"}, {"name": "b", "tool": "http"}, {"name": "c", "tool": "bash", "spec": {"min_isolation": "L1"}}]');
create function pg_temp.demanded(p_name text) returns jsonb language sql as $$
  select (d -> 'isolation')::jsonb from json_array_elements(nofx_private.describe_steps(array[tap.step(p_name)], null)) as d
$$;
select is(pg_temp.demanded('a'), 'null', 'settings of another tenant do not count');
select tap.be('admin');
select nofx.set_isolation('e2b', 'L2', '{"bash": "L3"}', '{"e2b": "base"}', '["rust"]');
select is(pg_temp.demanded('a'), '{"driver": "e2b", "min_isolation": "L3", "images": {"e2b": "base"}, "toolchains": ["rust"]}', 'a run that was submitted earlier has them, too');
select is(pg_temp.demanded('b'), '{"driver": "e2b", "min_isolation": "L2", "images": {"e2b": "base"}, "toolchains": ["rust"]}');
select is(pg_temp.demanded('c'), '{"driver": "e2b", "min_isolation": "L3", "images": {"e2b": "base"}, "toolchains": ["rust"]}', 'whatever its plan says');
select tap.be_service();
create temporary table claim as select c from json_array_elements(nofx.claim_steps('w', 10)) as c;
select is((select (c -> 'isolation')::jsonb ->> 'min_isolation' from claim where c ->> 'name' = 'a'), 'L3', 'the claim has it');
select is((select count(*)::int from claim), 3);
select * from finish();
rollback;
