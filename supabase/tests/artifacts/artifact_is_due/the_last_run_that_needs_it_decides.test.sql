begin;
select plan(6);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
create temporary table made as select tap.save('s0', 'one', 'x') as id, tap.run() as run;
create function pg_temp.due() returns boolean language sql as $$
  select nofx_private.artifact_is_due(a, now() - interval '1 day') from nofx.artifact a where id = (select id from made)
$$;
select is(pg_temp.due(), false, 'its run has not ended');
select tap.settle('s0');
select is(pg_temp.due(), false, 'its run has just ended');
update nofx.run set ended_at = now() - interval '1 day' where id = tap.run();
select is(pg_temp.due(), false, 'to the second');
update nofx.run set ended_at = now() - interval '25 hours' where id = tap.run();
select is(pg_temp.due(), true);
insert into nofx.legal_hold (id, tenant_id, run_id, reason, created_by) values (gen_random_uuid(), current_setting('tap.tenant')::uuid, tap.run(), 'r', 'a');
select is(pg_temp.due(), false, 'under a legal hold');
delete from nofx.legal_hold where true;
select tap.run_of('loose', 1);
select tap.claim();
select nofx.use_artifact(s.id, s.lease_token, m.id) from nofx.step s, made m where s.run_id = tap.run();
select is(pg_temp.due(), false, 'a running step uses it');
select * from finish();
rollback;
