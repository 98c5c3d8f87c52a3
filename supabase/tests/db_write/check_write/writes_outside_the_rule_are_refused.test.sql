begin;
select plan(10);
select tap.tickets(array['insert', 'update'], '{"required_filters": ["id"]}');
create function pg_temp.slug(p_write jsonb) returns text language plpgsql as $$
begin
  perform nofx_private.check_write(current_setting('tap.tenant')::uuid, '{"table": "public.ticket"}'::jsonb || p_write);
  return 'fine';
exception when others then return sqlerrm;
end
$$;
select is(pg_temp.slug('{"op": "insert", "rows": [{"id": 1, "status": "open"}]}'), 'fine');
select is(pg_temp.slug('{"op": "insert", "table": "nofx.run", "rows": [{"id": 1}]}'), 'write-not-allowed');
select is(pg_temp.slug('{"op": "insert", "table": "ticket", "rows": [{"id": 1}]}'), 'write-not-allowed', 'only by the exact name of the rule');
select is(pg_temp.slug('{"op": "delete", "filters": [{"column": "id", "op": "eq", "value": 1}]}'), 'write-not-allowed');
select is(pg_temp.slug('{"op": "insert", "rows": [{"id": 1, "secret": "x"}]}'), 'write-not-allowed');
select is(pg_temp.slug('{"op": "insert", "rows": [{"id": 1}, {"id": 2, "note": "x"}]}'), 'invalid-write');
select is(pg_temp.slug('{"op": "update", "rows": [{"status": "open"}]}'), 'invalid-write', 'without a filter');
select is(pg_temp.slug('{"op": "update", "rows": [{"status": "open"}], "filters": [{"column": "team", "op": "eq", "value": "support"}]}'), 'write-not-allowed', 'without a required filter');
select is(pg_temp.slug('{"op": "update", "rows": [{"status": "open"}], "filters": [{"column": "id", "op": "eq", "value": null}]}'), 'invalid-write');
select is(pg_temp.slug('{"op": "update", "rows": [{"status": "open"}], "filters": [{"column": "secret", "op": "eq", "value": "s"}, {"column": "id", "op": "eq", "value": 1}]}'), 'write-not-allowed', 'no filters by columns that cannot be read');
select * from finish();
rollback;
