begin;
select plan(4);
select tap.tickets();
select is(tap.write('{"op": "insert", "rows": [{"id": 7, "status": "open"}, {"id": 8, "status": "open"}]}') -> 'after' -> 1 ->> 'id', '8');
select is(tap.write('{"op": "insert", "rows": [{"id": 9, "status": "open"}]}') - 'dry_run', '{"count": 1, "before": [], "after": [{"id": 9, "note": null, "team": "support", "status": "open"}]}', 'without columns that cannot be read');
select throws_ok($$ select tap.write('{"op": "insert", "rows": [{"id": 10, "status": "gone"}]}') $$, 'PT422', 'write-not-allowed', 'a value that the rule does not allow');
select is((select array_agg(id order by id) from public.ticket), array[1, 2, 3, 7, 8, 9]);
select * from finish();
rollback;
