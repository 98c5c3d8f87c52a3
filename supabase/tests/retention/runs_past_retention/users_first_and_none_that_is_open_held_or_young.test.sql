begin;
select plan(9);
-- A run that ended long ago: it saved an artifact named like it, and used those of the others.
create function pg_temp.made(p_name text, p_uses text[] default '{}') returns uuid language plpgsql as $$
begin
  perform tap.run_of('loose', 1);
  perform tap.claim();
  perform tap.save('s0', p_name, p_name);
  perform nofx.use_artifact(s.id, s.lease_token, a.id) from nofx.step s, nofx.artifact a
    where s.run_id = tap.run() and a.name = any (p_uses) and a.tenant_id = s.tenant_id;
  perform tap.settle('s0');
  update nofx.run set created_at = now() - interval '100 days', ended_at = now() - interval '99 days', goal = p_name where id = tap.run();
  return tap.run();
end
$$;
create function pg_temp.goals(p_runs uuid[]) returns text[] language sql as $$ select coalesce(array_agg(goal order by goal), '{}') from nofx.run where id = any (p_runs) $$;
create function pg_temp.left_over() returns text[] language sql as $$
  select coalesce(array_agg(goal order by goal), '{}') from nofx.run where tenant_id = current_setting('tap.tenant')::uuid
$$;
create function pg_temp.circle(p_one text, p_two text) returns void language sql as $$
  insert into nofx.artifact_use (tenant_id, run_id, step_id, artifact_id)
  select s.tenant_id, s.run_id, s.id, a.id from nofx.step s join nofx.run r on r.id = s.run_id, nofx.artifact a where r.goal = p_one and a.name = p_two
$$;

create function pg_temp.due(p_days int default 30, p_limit int default 10) returns text[] language sql as $$
  select pg_temp.goals(nofx_private.runs_past_retention(current_setting('tap.tenant')::uuid, now() - make_interval(days => p_days), p_limit))
$$;
select tap.tenant();
create temporary table run as select pg_temp.made('a') as a, pg_temp.made('b', '{a}') as b, pg_temp.made('c', '{b}') as c, pg_temp.made('d') as d;
select is(pg_temp.due(), array['c', 'd'], 'a and b are used');
select is(cardinality(pg_temp.due(30, 1)), 1);
select is(pg_temp.due(99), '{}', 'to the second');
select tap.run_of('loose', 1);
update nofx.run set created_at = now() - interval '100 days' where id = tap.run();
select is(pg_temp.due(), array['c', 'd'], 'an open run stays');
insert into nofx.legal_hold (id, tenant_id, run_id, reason, created_by) select gen_random_uuid(), current_setting('tap.tenant')::uuid, c, 'r', 'a' from run;
select is(pg_temp.due(), array['d'], 'a held run stays');
delete from nofx.run where id = (select d from run);
select is(pg_temp.due(), '{}', 'and so do those whose artifacts it used');
delete from nofx.legal_hold where true;
select pg_temp.circle('a', 'c');
select is(pg_temp.due(), array['a', 'b', 'c'], 'a circle goes together');
insert into nofx.legal_hold (id, tenant_id, run_id, reason, created_by) select gen_random_uuid(), current_setting('tap.tenant')::uuid, c, 'r', 'a' from run;
select is(pg_temp.due(), '{}', 'unless one of it is held');
delete from nofx.legal_hold where true;
update nofx.run set ended_at = now() where id = (select b from run);
select is(pg_temp.due(), '{}', 'or young');
select * from finish();
rollback;
