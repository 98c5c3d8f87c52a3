begin;
select plan(9);
select tap.tenant();
select tap.be('supervisor');
select nofx.set_alert_rule('approval_waiting', 600);
select tap.run_of('loose', 2);
select tap.be('supervisor');
create temporary table gate as
  select (nofx.request_gate(tap.run(), tap.step(name), 'manual:x') ->> 'id')::uuid as id, name from unnest(array['s0', 's1']) as name;
create function pg_temp.open_alerts() returns text[] language sql as $$
  select coalesce(array_agg(g.name order by g.name), '{}') from nofx.alert a join gate g on g.id = a.subject::uuid where a.resolved_at is null
$$;
create function pg_temp.watch(p_age interval) returns text[] language plpgsql as $$
begin
  update nofx.gate set created_at = now() - p_age where id in (select id from gate);
  perform tap.be_service();
  perform nofx.watch_queues();
  return pg_temp.open_alerts();
end
$$;
select is(pg_temp.watch('599 seconds'), '{}', 'one second before');
select is(pg_temp.watch('600 seconds'), array['s0', 's1'], 'each gate has its own');
select is((select (kind::text, run_id, link)::text from nofx.alert a join gate g on g.id = a.subject::uuid and g.name = 's0'),
  (select ('approval_waiting', tap.run(), '/ui/approvals?gate=' || id)::text from gate where name = 's0'));
select is((select run_id from nofx.event where type = 'alert.raised' and data ->> 'subject' = (select id::text from gate where name = 's0')), tap.run());
select is((select data -> 'role' from nofx.event where type = 'alert.raised' and data ->> 'subject' = (select id::text from gate where name = 's0')), '"supervisor"');
select tap.be('supervisor');
select nofx.decide_gate((select id from gate where name = 's0'), 'approve');
select is(pg_temp.watch('601 seconds'), array['s1'], 'it is decided');
update nofx.gate set expires_at = now() where id = (select id from gate where name = 's1');
select is(pg_temp.watch('601 seconds'), '{}', 'it has expired');
update nofx.gate set expires_at = null where id = (select id from gate where name = 's1');
select is(pg_temp.watch('601 seconds'), array['s1']);
select tap.be('contributor');
select nofx.cancel_run(tap.run());
select is(pg_temp.watch('601 seconds'), '{}', 'its run has ended');
select * from finish();
rollback;
