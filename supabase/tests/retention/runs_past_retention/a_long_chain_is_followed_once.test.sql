begin;
select plan(5);
select tap.tenant();
-- A chain of 2,000 runs: each used the artifact of the one before it, and the last ended just now. One step stands for those of all.
select tap.run_of('loose', 1);
create temporary table chain as
  select n, gen_random_uuid() as run_id, tap.step('s0') as step_id, gen_random_uuid() as artifact_id from generate_series(1, 2000) as n;
insert into nofx.run (id, tenant_id, goal, status, plan, steps_total, open_steps, created_by, created_at, ended_at)
select run_id, current_setting('tap.tenant')::uuid, n::text, 'succeeded', '{}', 1, 0, 'a', now() - interval '100 days' + n * interval '1 second',
       now() - case when n = 2000 then interval '0' else interval '99 days' end
  from chain;
insert into nofx.artifact (id, tenant_id, run_id, step_id, name, type, uri, blob, size_bytes, hash, attempt)
select artifact_id, current_setting('tap.tenant')::uuid, run_id, step_id, 'a', 'text/plain', 'runs/' || run_id || '/a', 'a', 1, 'sha256:' || repeat('0', 64), 1
  from chain;
insert into nofx.artifact_use (tenant_id, run_id, step_id, artifact_id)
select current_setting('tap.tenant')::uuid, c.run_id, c.step_id, b.artifact_id from chain c join chain b on b.n = c.n - 1;
create function pg_temp.due() returns uuid[] language sql as $$
  select nofx_private.runs_past_retention(current_setting('tap.tenant')::uuid, now() - interval '30 days', 100)
$$;
-- How often the uses of one artifact or run were looked up within this transaction.
create function pg_temp.lookups() returns bigint language sql volatile as $$
  select pg_stat_get_xact_numscans('nofx.use_of_run'::regclass) + pg_stat_get_xact_numscans('nofx.use_of_artifact'::regclass)
$$;
create temporary table before as select pg_temp.lookups() as lookups;
-- That of the service.
set local statement_timeout = '8s';
select is(pg_temp.due(), '{}', 'all are kept for the last one');
select cmp_ok(pg_temp.lookups() - (select lookups from before), '<=', 6000::bigint, 'a few for each run, not one for each two runs');
insert into nofx.artifact_use (tenant_id, run_id, step_id, artifact_id)
select current_setting('tap.tenant')::uuid, c.run_id, c.step_id, b.artifact_id from chain c, chain b where c.n = 1 and b.n = 2000;
select is(pg_temp.due(), '{}', 'nor does a circle go with a young run in it');
update nofx.run set ended_at = now() - interval '99 days' where id = (select run_id from chain where n = 2000);
select is(cardinality(pg_temp.due()), 2000, 'and when all are old it goes as a whole');
insert into nofx.legal_hold (id, tenant_id, run_id, reason, created_by)
select gen_random_uuid(), current_setting('tap.tenant')::uuid, run_id, 'r', 'a' from chain where n = 1000;
select is(pg_temp.due(), '{}', 'unless one of it is held');
select * from finish();
rollback;
