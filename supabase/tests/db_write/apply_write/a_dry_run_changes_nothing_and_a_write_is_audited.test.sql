begin;
select plan(5);
select tap.tickets();
select is(tap.write('{"op": "delete", "dry_run": true, "filters": [{"column": "id", "op": "eq", "value": 1}]}') -> 'before' -> 0 ->> 'id', '1');
select is((select count(*)::int from public.ticket), 3);
select is((select count(*)::int from nofx.audit_log where action like 'db_write.%'), 0);
select tap.write('{"op": "update", "rows": [{"status": "closed"}], "filters": [{"column": "id", "op": "eq", "value": 1}]}');
select results_eq($$ select a.actor, a.action, a.target, tap.opened(p.audit_id, p.sealed)::jsonb -> 'before' -> 0 ->> 'status', tap.opened(p.audit_id, p.sealed)::jsonb -> 'after' -> 0 ->> 'status'
    from nofx.audit_log a join nofx.audit_payload p on p.audit_id = a.id where a.action like 'db_write.%' $$,
  $$ values ('a contributor', 'db_write.update', 'public.ticket', 'open', 'closed') $$);
select is((select (d ->> 'dry_run')::boolean from tap.write('{"op": "insert", "rows": [{"id": 5, "status": "open"}]}') as d), false);
select * from finish();
rollback;
