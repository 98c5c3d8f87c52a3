begin;
select plan(6);
select tap.tenant();
select tap.be('admin');
create temporary table key as select nofx.create_api_key('ci', 'admin', 'hash 1', 'nofx_1') as id;
create function pg_temp.be(p_who text, p_role text default 'admin') returns void language sql as $$
  select set_config('request.jwt.claims', json_build_object('role', 'authenticated', 'sub', p_who, 'app_metadata',
    json_build_object('tenant_id', current_setting('tap.tenant'), 'nofx_role', p_role))::text, true)
$$;
select pg_temp.be('key:' || id) from key;
create temporary table second as select nofx.create_api_key('ci', 'admin', 'hash 2', 'nofx_2') as id;
select is((select nofx_private.person_behind('key:' || id) from key), 'a admin');
select is((select nofx_private.person_behind('key:' || id) from second), 'a admin', 'and of a key that a key made');
select is(nofx_private.person_behind('ann'), 'ann');
select is(nofx_private.person_behind('key:' || gen_random_uuid()) like 'key:%', true, 'one that is not there stays what it is');
select is(nofx_private.person_behind(n), n) from unnest(array['key:x']) as n;
select is(nofx_private.caller_key(), (select id from key));
select * from finish();
rollback;
