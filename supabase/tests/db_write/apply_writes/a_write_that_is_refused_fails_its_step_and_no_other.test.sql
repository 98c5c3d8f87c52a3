begin;
select plan(4);
select tap.tickets();
select tap.run_of('loose', 2);
select tap.claim();
select lives_ok($$ select nofx.settle_steps('w', jsonb_build_array(
  tap.outcome('s0', 'write', '{"outputs": {"op": "insert", "table": "public.ticket", "rows": [{"id": 1, "status": "open"}]}}'), tap.outcome('s1'))) $$);
select is(array[tap.status('s0'), tap.status('s1')], array['failed', 'succeeded']);
select alike((select error ->> 'message' from nofx.step where id = tap.step('s0')), 'the table refused the write (23505)%');
select is((select count(*)::int from nofx.audit_log where action like 'db_write.%'), 0);
select * from finish();
rollback;
