begin;
select plan(3);
create temporary table tenant (id uuid);
create function pg_temp.fill() returns uuid language plpgsql as $$
declare
  v_tenant uuid := tap.tenant();
begin
  perform tap.run_of('loose', 4);
  return v_tenant;
end
$$;
insert into tenant select pg_temp.fill() from generate_series(1, 3);
select is(cardinality(nofx_private.dequeue_steps(array(select id from tenant), 2, null)), 2, 'fewer than tenants');
select is(cardinality(nofx_private.dequeue_steps(array(select id from tenant), 5, null)), 5, 'more than tenants');
select is(cardinality(nofx_private.dequeue_steps(array(select id from tenant), 100, null)), 5, 'all remaining steps');
select * from finish();
rollback;
