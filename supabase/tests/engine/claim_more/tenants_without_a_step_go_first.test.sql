begin;
select plan(4);
create temporary table tenant (id uuid);
create function pg_temp.fill() returns uuid language plpgsql as $$
declare
  v_tenant uuid := tap.tenant();
begin
  perform tap.run_of('loose', 4);
  return v_tenant;
end
$$;
insert into tenant select pg_temp.fill() from generate_series(1, 2);
create function pg_temp.claimed(p_capacity int) returns table (tenant uuid, n bigint) language sql as $$
  select s.tenant_id, count(*)
    from unnest((nofx_private.claim_more(array(select id from tenant), array[(select min(id::text) from tenant)::uuid], p_capacity, 'w', null, '1 minute')).steps) as id
    join nofx.step s using (id)
   group by 1
$$;
select results_eq($$ select * from pg_temp.claimed(3) $$, $$ select max(id::text)::uuid, 3::bigint from tenant $$, 'the worker has a step of the other one');
select results_eq($$ select * from pg_temp.claimed(3) order by tenant $$, $$ select id, case when n = 1 then 2::bigint else 1 end from (select id, row_number() over (order by id) as n from tenant) as t $$,
  'the rest of the capacity is for all');
select is((select count(*) from nofx.step where status = 'running' and worker = 'w'), 6::bigint, 'they run');
select is((nofx_private.claim_more(array(select id from tenant), null, 9, 'w', array['bash'], '1 minute')).steps, null, 'nothing for its tools');
select * from finish();
rollback;
