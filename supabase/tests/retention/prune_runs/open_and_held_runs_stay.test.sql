begin;
select plan(6);
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
insert into nofx.retention (tenant_id, what, days) values (current_setting('tap.tenant')::uuid, 'runs', 1);
select tap.run_of('chain', 2);
update nofx.run set created_at = now() - interval '100 days', started_at = now() - interval '100 days' where id = tap.run();
select tap.be_service();
select is(nofx.prune_runs(), 0, 'an open run');
create temporary table run as select pg_temp.made('a') as a;
select tap.be('supervisor');
create temporary table hold as select (nofx.place_hold(a, 'why') ->> 'id')::uuid as id from run;
select tap.be_service();
select is(nofx.prune_runs(), 0, 'a held run');
update nofx.legal_hold set run_id = null where true;
select is(nofx.prune_runs(), 0, 'a held tenant');
select tap.be('supervisor');
select nofx.release_hold(id) from hold;
select tap.be_service();
select is(nofx.prune_runs(), 1, 'released');
select tap.be('admin');
select throws_ok('select nofx.prune_runs()', 'PT403', 'forbidden');
select is((select count(*)::int from nofx.run where tenant_id = current_setting('tap.tenant')::uuid), 1);
select * from finish();
rollback;
