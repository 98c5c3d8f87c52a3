begin;
select plan(2);
select tap.tenant();
insert into nofx.event (tenant_id, run_id, type, tx) select current_setting('tap.tenant')::uuid, ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'e' || n, n
  from generate_series(1, 3) as n;
insert into nofx.event (tenant_id, type, tx) values (current_setting('tap.tenant')::uuid, 'of no run', 1);
select results_eq($$ select tap.seen($q$ select type from nofx.read_events(p_run => '00000000-0000-0000-0000-000000000002') $q$) $$, $$ values ('e2') $$);
select is((select count(*)::int from tap.seen('select type from nofx.read_events()')), 4);
select * from finish();
rollback;
