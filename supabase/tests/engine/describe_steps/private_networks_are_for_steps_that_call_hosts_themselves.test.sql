begin;
select plan(4);
select tap.tenant();
select tap.be_service();
select nofx.set_networks(current_setting('tap.tenant')::uuid, '{10.1.0.0/16}');
select tap.be('contributor');
select tap.submit('[{"name": "a", "tool": "bash"}, {"name": "b", "tool": "http"},
  {"name": "c", "tool": "bash", "spec": {"resources": {"network": "proxy"}}}, {"name": "d", "tool": "bash"}]');
update nofx.step set spec = '{"resources": "proxy"}' where id = tap.step('d');
create function pg_temp.networks(p_name text) returns text language sql as $$
  select d ->> 'networks' from json_array_elements(nofx_private.describe_steps(array[tap.step(p_name)], null)) as d
$$;
select is(pg_temp.networks('a'), null, 'its programs reach hosts without the worker');
select is(pg_temp.networks('b'), '["10.1.0.0/16"]');
select is(pg_temp.networks('c'), '["10.1.0.0/16"]', 'the egress proxy connects for it');
select is(pg_temp.networks('d'), null, 'resources that cannot be read ask for nothing');
select * from finish();
rollback;
