begin;
select plan(6);
create function pg_temp.read(p_table regclass) returns bigint language sql as $$
  select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_all_tables where relid = p_table
$$;

select tap.tenant();
select tap.submit('[{"name": "a", "tool": "gate:unit"}, {"name": "b", "tool": "gate:lint"}, {"name": "c", "tool": "gate:audit"}]',
  '{"pull_request": {"repository": "acme/web", "head_sha": "abc"}}');
select tap.claim();
update nofx.check_run set refused = 'another commit' where step_id in (tap.step('a'), tap.step('b'));
update nofx.check_run set reported_status = 'completed' where step_id = tap.step('c');
insert into nofx.step (id, tenant_id, run_id, position, name, tool)
select nofx_private.uuid_v7(), current_setting('tap.tenant')::uuid, tap.run(), 10 + n, 'more' || n, 'noop' from generate_series(1, 5000) as n;
insert into nofx.check_run (step_id, tenant_id, run_id, repository, head_sha, reported_status)
select id, tenant_id, run_id, 'acme/web', 'abc', 'completed' from nofx.step where run_id = tap.run() and name like 'more%';
analyze nofx.check_run;
create temporary table before as select pg_temp.read('nofx.check_run') as n;
select is(nofx.settle_steps('w', jsonb_build_array(tap.outcome('a'))) ->> 'has_checks', 'false', 'a refused check is not reported');
select cmp_ok(pg_temp.read('nofx.check_run') - (select n from before), '<', 100::bigint);
update before set n = pg_temp.read('nofx.check_run');
select is(nofx.fire_timers() ->> 'has_checks', 'false', 'nor by the sweep');
select cmp_ok(pg_temp.read('nofx.check_run') - (select n from before), '<', 100::bigint);
update nofx.check_run set refused = null where step_id = tap.step('b');
select is(nofx.fire_timers() ->> 'has_checks', 'true');
select is(nofx.settle_steps('w', jsonb_build_array(tap.outcome('b'))) ->> 'has_checks', 'true');
select * from finish();
rollback;
