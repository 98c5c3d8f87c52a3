begin;
select plan(3);
select tap.tenant();
insert into nofx.event (tenant_id, type, tx) select current_setting('tap.tenant')::uuid, 'e', n from generate_series(1, 1001) as n;
select is((select count(*)::int from tap.seen('select type from nofx.read_events(p_limit => 5000)')), 1000);
select is((select count(*)::int from tap.seen('select type from nofx.read_events(p_limit => 0)')), 1);
select is((select count(*)::int from tap.seen('select type from nofx.read_events(p_limit => 1000)')), 1000);
select * from finish();
rollback;
