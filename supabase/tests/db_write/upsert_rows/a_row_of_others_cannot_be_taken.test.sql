begin;
select plan(2);
select tap.tickets(p_more => '{"columns": ["id", "status", "note", "team"], "read": []}');
select throws_ok($$ select tap.write('{"op": "upsert", "on_conflict": ["id"], "rows": [{"id": 3, "team": "support", "status": "open"}]}') $$, 'PT422', 'write-not-allowed',
  'the row would match the rule afterwards, but not before');
select is((select team from public.ticket where id = 3), 'other');
select * from finish();
rollback;
