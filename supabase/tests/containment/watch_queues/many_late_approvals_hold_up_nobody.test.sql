begin;
select plan(7);
-- A tenant with late gates of one step; the higher their number, the longer they wait.
create function pg_temp.late(p_gates int) returns uuid language plpgsql as $$
begin
  perform tap.tenant();
  perform tap.run_of('loose', 1);
  insert into nofx.gate (id, tenant_id, run_id, step_id, gate_type, created_at)
  select nofx_private.uuid_v7(), current_setting('tap.tenant')::uuid, tap.run(), tap.step('s0'), n::text, now() - interval '2 hours' - n * interval '1 second'
    from generate_series(1, p_gates) as n;
  return current_setting('tap.tenant')::uuid;
end
$$;
create temporary table tenant as select pg_temp.late(150) as many;
alter table tenant add few uuid;
update tenant set few = pg_temp.late(1);
insert into nofx.person (tenant_id, id, email, role) select many, 's', 'sam@example.org', 'supervisor' from tenant;
create function pg_temp.open_alerts(p_tenant uuid) returns int language sql as $$
  select count(*)::int from nofx.alert where tenant_id = p_tenant and resolved_at is null
$$;
select tap.be_service();
select nofx.watch_queues();
select is(pg_temp.open_alerts(many), 100, 'not all at once') from tenant;
select is((select min(g.gate_type::int) from nofx.alert a join nofx.gate g on g.id = a.subject::uuid where a.tenant_id = many), 51, 'those that wait longest') from tenant;
select is(pg_temp.open_alerts(few), 1, 'another tenant has its own') from tenant;
insert into nofx.person (tenant_id, id, email, role) select many, 't', 'tom@example.org', 'supervisor' from tenant;
update nofx.gate set created_at = created_at - interval '1 hour' where tenant_id = (select many from tenant);
select nofx.watch_queues();
select is(pg_temp.open_alerts(many), 150, 'the rest the next time') from tenant;
select is(array(select (details -> 'people')::text || count(*) from nofx.alert where tenant_id = many group by details -> 'people' order by count(*)),
  array['["sam@example.org", "tom@example.org"]50', '["sam@example.org"]100'], 'who could decide is looked up when an alert is raised, not again') from tenant;
select is((select min(value) >= 10800 from nofx.alert where tenant_id = many), true, 'the value is measured again') from tenant;
select is((select count(*)::int from nofx.event where type = 'alert.raised' and tenant_id = many), 150, 'each is announced once') from tenant;
select * from finish();
rollback;
