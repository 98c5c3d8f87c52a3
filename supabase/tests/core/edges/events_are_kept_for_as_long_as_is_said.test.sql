begin;
select plan(3);
select tap.tenant();
insert into nofx.tenant (id, name) values ('00000000-0000-0000-0000-00000000000a', 'another');
insert into nofx.retention (tenant_id, event_days) values ('00000000-0000-0000-0000-00000000000a', 1);
select is(nofx_private.events_since(), now() - interval '90 days', 'what another tenant says does not count');
do $do$
begin
  for v_age in 90..91 loop
    execute format('create table nofx.event_%s partition of nofx.event for values from (%L) to (%L)',
      to_char(current_date - v_age, 'YYYYMMDD'), current_date - v_age, current_date - v_age + 1);
  end loop;
end
$do$;
select tap.be_service();
create temporary table dropped as select * from nofx.retain_events() as name;
select ok(exists (select from dropped where name = 'event_' || to_char(current_date - 91, 'YYYYMMDD')), 'the ninety-first day');
select ok(not exists (select from dropped where name = 'event_' || to_char(current_date - 90, 'YYYYMMDD')), 'and not the ninetieth');
select * from finish();
rollback;
