begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 1);
insert into nofx.legal_hold (id, tenant_id, run_id, reason, created_by) values
  (gen_random_uuid(), current_setting('tap.tenant')::uuid, tap.run(), 'r', 'a'), (gen_random_uuid(), current_setting('tap.tenant')::uuid, null, 'r', 'a');
select is(nofx_private.held_runs(), array[tap.run()]);
select tap.tenant();
select is(nofx_private.held_runs(), '{}');
select * from finish();
rollback;
