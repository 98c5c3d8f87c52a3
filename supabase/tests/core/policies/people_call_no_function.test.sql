begin;
select plan(6);
-- Every function of the schemas that PostgREST exposes, with those who may call it.
create temp table callable as
select p.oid, p.proname::text as name, r.rolname::text as role
  from pg_proc p
  join pg_roles r on r.rolname in ('anon', 'authenticated', 'nofx_api', 'service_role')
 where p.pronamespace in ('nofx'::regnamespace, 'observability'::regnamespace, 'ops'::regnamespace)
   and p.prorettype <> 'trigger'::regtype and has_function_privilege(r.oid, p.oid, 'execute');
select cmp_ok((select count(*) from callable where role = 'nofx_api'), '>', 35::bigint, 'the functions were found');
select is_empty($$ select name from callable where role = 'anon' $$, 'nobody calls without a token');
select is_empty($$ select name from callable where role = 'authenticated' $$, 'a token of a person calls nothing');
select is((select array_agg(r.rolname::text order by r.rolname) from pg_auth_members m join pg_roles r on r.oid = m.member
            where m.roleid = 'nofx_api'::regrole and r.rolname <> current_user), '{authenticator}', 'only PostgREST takes the role of the API');
select is_empty($$ select roleid::regrole from pg_auth_members where member = 'nofx_api'::regrole $$, 'which has no rights but its own');
select is((select rolsuper or rolcreaterole or rolbypassrls or rolcanlogin from pg_roles where rolname = 'nofx_api'), false, 'to which row security applies');
select * from finish();
rollback;
