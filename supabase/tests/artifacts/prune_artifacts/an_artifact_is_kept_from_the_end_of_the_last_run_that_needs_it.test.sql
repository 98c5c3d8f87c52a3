begin;
select plan(10);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
create temporary table made as select tap.save('s0', 'one', 'x') as id, tap.run() as run;
select tap.settle('s0');
update nofx.artifact set created_at = now() - interval '9999 days';
create function pg_temp.over(p_run uuid, p_ago interval) returns text[] language plpgsql as $$
begin
  update nofx.run set ended_at = now() - p_ago where id = p_run;
  perform nofx.prune_artifacts();
  return array(select json_array_elements_text(nofx.blobs_to_delete() -> 'blobs'));
end
$$;
select is(pg_temp.over(run, '9999 days'), '{}', 'forever by default') from made;
insert into nofx.retention (tenant_id, what, days) values (current_setting('tap.tenant')::uuid, 'events', 30);
select is(pg_temp.over(run, '9999 days'), '{}', 'the retention of events is another') from made;
insert into nofx.retention (tenant_id, what, days) values (current_setting('tap.tenant')::uuid, 'artifacts', 30);
select is(pg_temp.over(run, '29 days 23:59:59'), '{}', 'one second before') from made;
select tap.run_of('loose', 1);
select tap.claim();
select nofx.use_artifact(s.id, s.lease_token, m.id) from nofx.step s, made m where s.run_id = tap.run();
select is(pg_temp.over(run, '31 days'), '{}', 'a running run uses it') from made;
select tap.settle('s0');
select is(pg_temp.over(tap.run(), '29 days 23:59:59'), '{}', 'a run within the retention used it');
select is((select count(*)::int from nofx.artifact_use where run_id = tap.run()), 1, 'and its lineage shows it');
insert into nofx.legal_hold (id, tenant_id, run_id, reason, created_by) values (gen_random_uuid(), current_setting('tap.tenant')::uuid, tap.run(), 'r', 'a');
select is(pg_temp.over(tap.run(), '30 days 00:00:01'), '{}', 'the run that used it is under a legal hold');
update nofx.legal_hold set run_id = (select run from made) where true;
select is(pg_temp.over(tap.run(), '30 days 00:00:01'), '{}', 'the run that made it is under a legal hold');
delete from nofx.legal_hold where true;
select is(pg_temp.over(tap.run(), '30 days 00:00:01'), array['x'], 'both ended before the retention');
select is_empty('select from nofx.artifact where id = (select id from made)');
select * from finish();
rollback;
