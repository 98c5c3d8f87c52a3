begin;
select plan(6);
select tap.tenant();
create function pg_temp.set(p_who text, p_filter text default '', p_inputs text default 'dXJs', p_phase nofx.hook_phase default 'background') returns text language sql as $$
  select set_config('request.jwt.claims', json_build_object('role', 'authenticated', 'sub', p_who, 'app_metadata',
    json_build_object('tenant_id', current_setting('tap.tenant'), 'nofx_role', 'admin'))::text, true);
  select nofx.set_hook('h', p_phase, p_filter, jsonb_build_object('kind', 'tool', 'tool', 'noop', 'inputs', 'sealed.k1.d3JhcHBlZA==.' || p_inputs)) ->> 'created_by'
$$;
select is(pg_temp.set('bob'), 'bob');
select is(pg_temp.set('alice'), 'bob', 'nothing changed');
select is(pg_temp.set('alice', p_inputs => 'aGVycw=='), 'alice', 'its runs are not in the name of somebody else');
select is(pg_temp.set('carol', 'true', 'aGVycw=='), 'carol');
select is(pg_temp.set('dan', 'true', 'aGVycw==', 'post'), 'dan');
select is((select created_by from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid), 'dan');
select * from finish();
rollback;
