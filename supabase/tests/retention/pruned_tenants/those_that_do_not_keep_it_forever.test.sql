begin;
select plan(3);
select tap.tenant();
create function pg_temp.before(p_what nofx.retained) returns timestamptz language sql as $$
  select before from nofx_private.pruned_tenants(p_what) where id = current_setting('tap.tenant')::uuid
$$;
select is(pg_temp.before('runs'), null);
select is(pg_temp.before('alerts'), now() - interval '90 days');
insert into nofx.legal_hold (id, tenant_id, reason, created_by) values (gen_random_uuid(), current_setting('tap.tenant')::uuid, 'r', 'a');
select is(pg_temp.before('alerts'), null);
select * from finish();
rollback;
