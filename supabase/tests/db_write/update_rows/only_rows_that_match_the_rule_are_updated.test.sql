begin;
select plan(5);
select tap.tickets();
select is(tap.write('{"op": "update", "rows": [{"status": "closed"}], "filters": [{"column": "id", "op": "gte", "value": 2}]}') -> 'count', '1', 'the row of the other team is not touched');
select results_eq('select id, status from public.ticket order by id', $$ values (1, 'open'), (2, 'closed'), (3, 'open') $$);
select is(tap.write('{"op": "update", "rows": [{"note": "n"}], "filters": [{"column": "id", "op": "eq", "value": 1}]}') - array['count', 'dry_run'],
  '{"before": [{"id": 1, "note": null, "team": "support", "status": "open"}], "after": [{"id": 1, "note": "n", "team": "support", "status": "open"}]}');
select throws_ok($$ select tap.write('{"op": "update", "rows": [{"status": "gone"}], "filters": [{"column": "id", "op": "eq", "value": 1}]}') $$, 'PT422', 'write-not-allowed', 'a value that the rule does not allow');
insert into public.ticket (id, status) values (4, 'open');
select throws_ok($$ select tap.write('{"op": "update", "rows": [{"note": "m"}], "filters": [{"column": "id", "op": "gt", "value": 0}]}') $$, 'PT422', 'write-not-allowed', 'more than max_rows');
select * from finish();
rollback;
