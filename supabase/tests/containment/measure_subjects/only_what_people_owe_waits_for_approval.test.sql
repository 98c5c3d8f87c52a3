begin;
select plan(3);
select tap.tenant();
select tap.run_of('loose', 2);
select tap.be('supervisor');
create temporary table gate as
  select (nofx.request_gate(tap.run(), tap.step(name), 'manual:x') ->> 'id')::uuid as id, name from unnest(array['s0', 's1']) as name;
create function pg_temp.waiting() returns text[] language sql as $$
  select coalesce(array_agg(g.name order by g.name), '{}') from nofx_private.measure_subjects() m join gate g on g.id::text = m.subject where m.kind = 'approval_waiting'
$$;
select is(pg_temp.waiting(), array['s0', 's1']);
update nofx.step set status = 'skipped', ended_at = now() where id = tap.step('s0');
select is(pg_temp.waiting(), array['s1'], 'the step of a pending gate was skipped');
update nofx.gate set status = 'passed', decided_at = now() where id = (select id from gate where name = 's1');
select is(pg_temp.waiting(), '{}');
select * from finish();
rollback;
