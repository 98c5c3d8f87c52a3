begin;
select plan(4);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
create temporary table saved as select tap.save('s0', 'log') as id;
select tap.run_of('loose', 1);
select tap.claim();
create function pg_temp.using() returns json language sql as $$
  select nofx.use_artifact(s.id, s.lease_token, k.id) from nofx.step s, saved k where s.run_id = tap.run()
$$;
select is(pg_temp.using() ->> 'blob', 'b');
select is(pg_temp.using() ->> 'name', 'log', 'again is not an error');
select is((select count(*)::int from nofx.artifact_use where run_id = tap.run()), 1);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
select throws_ok('select pg_temp.using()', 'PT404', 'artifact-not-found');
select * from finish();
rollback;
