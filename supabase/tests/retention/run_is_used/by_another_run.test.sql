begin;
select plan(4);
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

select tap.tenant();
create temporary table run as select pg_temp.made('a') as a, pg_temp.made('b', '{a}') as b;
select is(nofx_private.run_is_used(a), true) from run;
select is(nofx_private.run_is_used(b), false) from run;
select is(nofx_private.run_is_used(a, array[b]), false) from run;
select pg_temp.circle('b', 'b');
select is(nofx_private.run_is_used(b), false, 'by itself') from run;
select * from finish();
rollback;
