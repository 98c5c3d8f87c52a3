begin;
select plan(3);
select is(nofx_private.tenants_with_ready_steps(10), null, 'no tenant has ready steps');
create temp table those as select tap.tenant() as id, tap.run_of('loose', 3) as run;
insert into those select tap.tenant(), tap.run_of('loose', 3);
select set_eq($$ select unnest(nofx_private.tenants_with_ready_steps(10)) $$, $$ select id from those $$);
select is(cardinality(nofx_private.tenants_with_ready_steps(1)), 1, 'at most the limit');
select * from finish();
rollback;
