begin;
select plan(1);
select tap.tenant();
create temporary table one as select current_setting('tap.tenant')::uuid as id;
select tap.tenant();
insert into one select current_setting('tap.tenant')::uuid;
create function pg_temp.first() returns uuid language sql as $$
  select id from (select id, row_number() over () as place from nofx_private.pruned_tenants('alerts')) as tenant
   where id in (select id from one) order by place limit 1
$$;
create temporary table first as select pg_temp.first() as id from generate_series(1, 64);
select is((select count(distinct id)::int from first), 2, 'a batch that ends at its limit serves another tenant the next time');
select * from finish();
rollback;
