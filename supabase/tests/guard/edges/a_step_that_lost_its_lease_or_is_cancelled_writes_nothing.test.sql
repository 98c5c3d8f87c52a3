begin;
select plan(4);
select tap.tickets();
select nofx.settle_steps('w', jsonb_build_array(tap.outcome('s0', 'write', '{"token": "00000000-0000-0000-0000-00000000000a",
  "outputs": {"op": "insert", "table": "public.ticket", "rows": [{"id": 9, "status": "open"}]}}')));
select is((select count(*)::int from public.ticket), 3);
select is(tap.status('s0'), 'running');
select tap.be('contributor');
select nofx.cancel_run(tap.run());
select tap.settle('s0', 'write', '{"outputs": {"op": "insert", "table": "public.ticket", "rows": [{"id": 9, "status": "open"}]}}');
select is((select count(*)::int from public.ticket), 3);
select is(tap.status('s0'), 'cancelled');
select * from finish();
rollback;
