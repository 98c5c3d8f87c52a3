begin;
select plan(1);
select tap.tickets();
select tap.tenant();
select tap.run_of('loose', 1, '{"tool": "db_write", "spec": {"inputs": {"op": "insert"}}}');
select throws_ok($$ select tap.write('{"op": "insert", "rows": [{"id": 9, "status": "open"}]}') $$, 'PT422', 'outside-rule');
select * from finish();
rollback;
