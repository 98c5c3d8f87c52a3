begin;
select plan(5);
select tap.tickets();
select throws_ok($$ select tap.write('{"op": "upsert", "on_conflict": ["id"], "rows": [{"id": 3, "status": "closed"}]}') $$, 'PT422', 'write-not-allowed', 'a row of the other team cannot be overwritten');
select is(tap.write('{"op": "upsert", "on_conflict": ["id"], "rows": [{"id": 1, "status": "closed"}, {"id": 9, "status": "open"}]}') - 'dry_run',
  '{"count": 2, "before": [{"id": 1, "note": null, "team": "support", "status": "open"}],
    "after": [{"id": 1, "note": null, "team": "support", "status": "closed"}, {"id": 9, "note": null, "team": "support", "status": "open"}]}');
select throws_ok($$ select tap.write('{"op": "upsert", "on_conflict": ["id"], "rows": [{"id": 1, "status": "gone"}]}') $$, 'PT422', 'write-not-allowed', 'a value that the rule does not allow');
select throws_ok($$ select tap.write('{"op": "upsert", "on_conflict": ["note"], "rows": [{"id": 1, "status": "open", "note": "n"}]}') $$, '42P10', null, 'columns that do not identify a row');
select results_eq('select id, status from public.ticket order by id', $$ values (1, 'closed'), (2, 'open'), (3, 'open'), (9, 'open') $$);
select * from finish();
rollback;
