begin;
select plan(2);
select tap.tickets();
select tap.tenant();
select throws_ok($$ select nofx_private.check_write(current_setting('tap.tenant')::uuid,
  '{"table": "public.ticket", "op": "insert", "rows": [{"id": 4, "status": "open"}]}') $$, 'PT422', 'write-not-allowed');
select tap.be_service();
select nofx.set_db_write_rule(current_setting('tap.tenant')::uuid, 'public.ticket', array['delete'], '{"columns": ["id"]}');
select throws_ok($$ select nofx_private.check_write(current_setting('tap.tenant')::uuid,
  '{"table": "public.ticket", "op": "insert", "rows": [{"id": 4, "status": "open"}]}') $$, 'PT422', 'write-not-allowed');
select * from finish();
rollback;
