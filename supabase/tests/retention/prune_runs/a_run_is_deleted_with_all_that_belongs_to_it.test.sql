begin;
select plan(10);
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
select is(nofx.prune_runs(), 0, 'forever by default');
insert into nofx.retention (tenant_id, what, days) values (current_setting('tap.tenant')::uuid, 'runs', 99);
select is(nofx.prune_runs(), 0, 'to the second');
update nofx.retention set days = 98 where true;
select is(nofx.prune_runs(), 1);
select is(pg_temp.left_over(), array['a'], 'a run stays as long as one that used its artifacts');
select is(nofx.prune_runs(), 1);
select is(nofx.prune_runs(), 0);
select is((select array_agg(t) from (
  select 'step' as t from nofx.step where tenant_id = current_setting('tap.tenant')::uuid union all
  select 'attempt' from nofx.step_attempt where tenant_id = current_setting('tap.tenant')::uuid union all
  select 'artifact' from nofx.artifact where tenant_id = current_setting('tap.tenant')::uuid union all
  select 'attestation' from nofx.attestation where tenant_id = current_setting('tap.tenant')::uuid) as rest), null);
select is((select array_agg(b order by b) from json_array_elements_text(nofx.blobs_to_delete() -> 'blobs') as b where b in ('a', 'b')), array['a', 'b'], 'the bytes are queued for deletion');
select is((select count(*)::int from nofx.event where type = 'history.pruned' and tenant_id = current_setting('tap.tenant')::uuid), 2);
select isnt_empty($$ select from nofx.event where run_id = (select a from run) $$, 'events have a retention of their own');
select * from finish();
rollback;
