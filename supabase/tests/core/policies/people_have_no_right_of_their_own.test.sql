begin;
select plan(5);
-- Everything in our schemas that a token of a person, or nobody, could have a right to: its own, a column's, or what everyone has.
create temp table ours as select oid, nspname from pg_namespace where nspname in ('nofx', 'nofx_private', 'observability', 'ops');
create temp table people as select oid, rolname from pg_roles where rolname in ('anon', 'authenticated');
select is_empty($$ select nspname, rolname from ours, people where has_schema_privilege(people.oid, ours.oid, 'usage, create') $$, 'no schema');
select is_empty($$ select c.oid::regclass, rolname from pg_class c join ours on ours.oid = c.relnamespace, people
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and (has_table_privilege(people.oid, c.oid, 'select, insert, update, delete, truncate, references, trigger')
     or has_any_column_privilege(people.oid, c.oid, 'select, insert, update, references')) $$, 'no table, and no column of one');
select is_empty($$ select c.oid::regclass, rolname from pg_class c join ours on ours.oid = c.relnamespace, people
  where c.relkind = 'S' and has_sequence_privilege(people.oid, c.oid, 'usage, select, update') $$, 'no sequence');
select results_eq($$ select p.oid::regprocedure::text, rolname::text collate "default" from pg_proc p join ours on ours.oid = p.pronamespace, people
  where p.prorettype <> 'trigger'::regtype and has_function_privilege(people.oid, p.oid, 'execute') $$,
  $$ values ('nofx_private.caller_tenant()', 'authenticated') $$, 'no function but what the policy of Realtime calls');
select results_eq($$ select polrelid::regclass::text from pg_policy where polroles && array(select oid from people) and polname like 'nofx%' $$,
  $$ values ('realtime.messages') $$, 'and one policy, of messages that say that there is news');
select * from finish();
rollback;
