begin;
select plan(3);
select tap.tenant();
insert into nofx.event (tenant_id, type, tx) select current_setting('tap.tenant')::uuid, 'e' || n, n from generate_series(5, 1, -1) as n;
insert into nofx.event (tenant_id, type, tx) values (current_setting('tap.tenant')::uuid, 'last', 5);
select results_eq($$ select tap.seen('select type from nofx.read_events()') $$, $$ values ('e1'), ('e2'), ('e3'), ('e4'), ('e5'), ('last') $$,
  'the earlier transaction first, though its id is larger');
create temporary table seen as select tx, id from nofx.event where tenant_id = current_setting('tap.tenant')::uuid and type = 'e5';
select results_eq(format('select tap.seen(%L)', format('select type from nofx.read_events(%s, %s)', tx, id)), $$ values ('last') $$,
  'the event at the cursor is not read again') from seen;
select results_eq(format('select tap.seen(%L)', format('select type from nofx.read_events(%s, %s)', tx, id - 1)), $$ values ('e5'), ('last') $$) from seen;
select * from finish();
rollback;
