begin;
select plan(3);
select tap.tenant();
select is(nofx_private.emit(null), 0, 'null is none');
select is(nofx_private.emit(array[
  row (current_setting('tap.tenant'), null, null, 'one', '{}')::nofx_private.new_event,
  row (current_setting('tap.tenant'), null, null, 'two', '{"a": 1}')::nofx_private.new_event]), 2);
select results_eq($$ select type, data from nofx.event where tenant_id = current_setting('tap.tenant')::uuid order by tx, id $$,
  $$ values ('one', '{}'::jsonb), ('two', '{"a": 1}'::jsonb) $$);
select * from finish();
rollback;
