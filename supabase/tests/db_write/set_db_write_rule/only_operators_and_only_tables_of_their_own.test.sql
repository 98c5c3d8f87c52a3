begin;
select plan(7);
select tap.tickets();
create function pg_temp.set(p_table text, p_constraints jsonb) returns json language sql as $$
  select nofx.set_db_write_rule(current_setting('tap.tenant')::uuid, p_table, array['update'], p_constraints)
$$;
select throws_ok($$ select pg_temp.set('nofx.run', '{"columns": ["status"]}') $$, 'PT422', 'invalid-db-write-rule');
select throws_ok($$ select pg_temp.set('public.nowhere', '{"columns": ["status"]}') $$, 'PT422', 'invalid-db-write-rule');
select throws_ok($$ select pg_temp.set('public.ticket', '{"columns": ["colour"]}') $$, 'PT422', 'invalid-db-write-rule');
select throws_ok($$ select pg_temp.set('public.ticket', '{"columns": ["status"], "rows": [{"column": "team", "op": "eq", "value": 1}]}') $$, 'PT422', 'invalid-db-write-rule');
select throws_ok($$ select pg_temp.set('public.ticket', '{"columns": ["status"], "max_rows": 5000}') $$, 'PT422', 'invalid-db-write-rule');
select is(pg_temp.set('public.ticket', '{"columns": ["status"]}') ->> 'table_name', 'public.ticket');
select tap.be('admin');
select throws_ok($$ select pg_temp.set('public.ticket', '{"columns": ["status"]}') $$, 'PT403', 'forbidden');
select * from finish();
rollback;
