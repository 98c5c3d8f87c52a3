begin;
select plan(6);
-- Every function of the schemas that PostgREST exposes, with those who may call it.
create temp table callable as
select p.oid, p.proname::text as name, r.rolname::text as role,
       exists (select from unnest(p.proargtypes) as a (type) join pg_type t on t.oid = a.type where t.typtype = 'c') as is_column
  from pg_proc p
  join pg_roles r on r.rolname in ('anon', 'authenticated', 'nofx_api', 'service_role')
 where p.pronamespace in ('nofx'::regnamespace, 'observability'::regnamespace, 'ops'::regnamespace)
   and p.prorettype <> 'trigger'::regtype and has_function_privilege(r.oid, p.oid, 'execute');
select cmp_ok((select count(*) from callable where role = 'nofx_api'), '>', 35::bigint, 'the functions were found');
select is_empty($$ select name from callable where role = 'anon' $$, 'nobody calls without a token');
select is_empty($$ select name from callable where role = 'authenticated' and not is_column $$, 'a token of a person calls nothing but columns of rows that it reads');
select is_empty($$ select c.name from callable c where c.role = 'authenticated' and (select p.prosecdef or p.provolatile = 'v' from pg_proc p where p.oid = c.oid)
  and c.name not in ('sandbox_use', 'shown_waits_for', 'waits_for_me', 'origin', 'shown_inputs') $$, 'and a column writes nothing');
select is((select array_agg(r.rolname::text order by r.rolname) from pg_auth_members m join pg_roles r on r.oid = m.member
            where m.roleid = 'nofx_api'::regrole and r.rolname <> current_user), '{authenticator}', 'only PostgREST takes the role of the API');
select is((select rolsuper or rolcreaterole or rolbypassrls or rolcanlogin from pg_roles where rolname = 'nofx_api'), false, 'to which row security applies');
select * from finish();
rollback;
