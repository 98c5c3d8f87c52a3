begin;
select plan(2);
select tap.tickets(p_more => '{"columns": ["id", "status", "note", "team"], "read": []}');
select is(tap.write('{"op": "update", "rows": [{"team": "support"}], "filters": [{"column": "id", "op": "eq", "value": 3}]}') -> 'count', '0', 'it is not there for the step');
select is((select team from public.ticket where id = 3), 'other');
select * from finish();
rollback;
