begin;
select plan(5);
create function pg_temp.submit(p_count int) returns void language sql as $$
  select tap.tenant();
  select tap.submit((select jsonb_agg(jsonb_build_object('name', 'g' || n, 'tool', 'gate:unit')) from generate_series(1, p_count) as n),
    '{"pull_request": {"repository": "acme/web", "head_sha": "abc"}}')
$$;
create function pg_temp.claim(p_limit int) returns int[] language sql as $$
  select array(select count(*)::int from json_array_elements(nofx.claim_checks(p_limit)) as c group by c ->> 'tenant_id' order by 1)
$$;
select pg_temp.submit(20);
create temporary table many as select tap.run() as id;
select pg_temp.submit(1);
select tap.be_service();
update nofx.check_run set refused = 'another commit' where step_id = (select min(step_id::text)::uuid from nofx.check_run where run_id = (select id from many));
select is(pg_temp.claim(3), array[1, 2], 'the later one does not wait for all of the other');
select is((select count(*)::int from nofx.check_run where locked_until is not null and refused is not null), 0, 'a refused one is not claimed');
select is(pg_temp.claim(50), array[4], 'four of a tenant at once');
select is((select min(locked_until - now()) from nofx.check_run where locked_until is not null), '90 seconds'::interval, 'longer than the reports of four take');
-- One whose reports fail comes after those whose do not.
update nofx.check_run set locked_until = null, attempts = case when run_id = (select id from many) then 1 else 0 end;
update nofx.check_run set attempts = 0 where step_id = (select max(step_id::text)::uuid from nofx.check_run where run_id = (select id from many));
select pg_temp.claim(2);
select is((select array_agg(attempts) from nofx.check_run where locked_until is not null), array[0, 0]);
select * from finish();
rollback;
