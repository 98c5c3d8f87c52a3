begin;
select plan(5);
create temp table writing as
select oid, proname::text as name, prosecdef, pg_get_userbyid(proowner) as owner
  from pg_proc
 where pronamespace = 'nofx_private'::regnamespace
   and proname in ('format_columns', 'write_conditions', 'insert_rows', 'update_rows', 'upsert_rows', 'delete_rows', 'write_rows');
select is((select count(*) from writing), 7::bigint);
select is_empty($$ select name from writing where owner <> 'nofx_writer' $$, 'they belong to the writer');
select is_empty($$ select name from writing where name like '%\_rows' and not prosecdef $$, 'so do the rights with which they write');
select is_empty($$ select name, rolname from writing, pg_roles where rolname in ('anon', 'authenticated', 'nofx_api', 'service_role')
  and has_function_privilege(pg_roles.oid, writing.oid, 'execute') $$, 'no client calls them');
select tap.tickets();
revoke insert on public.ticket from nofx_writer;
revoke insert (id, status, note) on public.ticket from nofx_writer;
select throws_ok($$ select tap.write('{"op": "insert", "rows": [{"id": 7, "status": "open"}]}') $$, '42501', null, 'without the right of the writer nothing is written');
select * from finish();
rollback;
