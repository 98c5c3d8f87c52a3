begin;
select plan(5);
select tap.tenant();
-- Written in another order than their transactions'.
insert into nofx.event (tenant_id, type, tx, run_id) values
  (current_setting('tap.tenant')::uuid, 'e3', 2, null), (current_setting('tap.tenant')::uuid, 'e1', 1, null),
  (current_setting('tap.tenant')::uuid, 'e2', 1, '00000000-0000-0000-0000-00000000000a');
select results_eq($$ select tap.seen('select type from nofx.read_events()') $$, $$ values ('e1'), ('e2'), ('e3') $$, 'by transaction, then by id');
select set_config('tap.id', id::text, true) from nofx.event where tenant_id = current_setting('tap.tenant')::uuid and type = 'e1';
select results_eq($$ select tap.seen(format('select type from nofx.read_events(1, %s)', current_setting('tap.id'))) $$, $$ values ('e2'), ('e3') $$,
  'not the event at the cursor, but the next of its transaction');
select results_eq($$ select tap.seen($q$ select type from nofx.read_events(p_run => '00000000-0000-0000-0000-00000000000a') $q$) $$, $$ values ('e2') $$, 'of one run');
insert into nofx.event (tenant_id, type, tx) select current_setting('tap.tenant')::uuid, 'many', 3 from generate_series(1, 1000);
select is((select count(*)::int from (select tap.seen('select type from nofx.read_events(p_limit => 5000)')) as page), 1000);
select is((select count(*)::int from (select tap.seen('select type from nofx.read_events(p_limit => 0)')) as page), 1);
select * from finish();
rollback;
