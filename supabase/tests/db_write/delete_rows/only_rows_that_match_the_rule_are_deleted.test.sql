begin;
select plan(3);
select tap.tickets();
insert into public.ticket (id, status) values (7, 'open');
select throws_ok($$ select tap.write('{"op": "delete", "filters": [{"column": "id", "op": "gt", "value": 0}]}') $$, 'PT422', 'write-not-allowed', 'more than max_rows');
select is(tap.write('{"op": "delete", "filters": [{"column": "id", "op": "in", "value": [7, 3]}]}') - 'dry_run', '{"count": 1, "before": [{"id": 7, "note": null, "team": "support", "status": "open"}], "after": []}', 'the row of the other team stays');
select is((select array_agg(id order by id) from public.ticket), array[1, 2, 3]);
select * from finish();
rollback;
