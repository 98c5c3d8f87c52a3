begin;
select plan(5);
-- The partitions of the coming days too.
select tap.be_service();
select nofx.maintain_event_partitions();
create temp table exposed as
select c.oid, c.relname as name, c.relispartition as is_partition, c.relrowsecurity as is_enabled, c.relforcerowsecurity as is_forced
  from pg_class c
 where c.relkind in ('r', 'p') and c.relnamespace in ('nofx'::regnamespace, 'observability'::regnamespace, 'ops'::regnamespace);
select cmp_ok((select count(*) from exposed), '>', 40::bigint, 'the tables were found');
select is_empty($$ select name from exposed where not is_enabled or not is_forced $$, 'forced for the owner too');
select results_eq($$ select name from exposed e where not is_partition and not exists (select from pg_policy p where p.polrelid = e.oid) $$,
  $$ values ('worker'::name) $$, 'each has a policy; workers belong to no tenant');
select is_empty($$ select polrelid::regclass, polname from pg_policy where polrelid in (select oid from exposed) and polcmd <> 'r' $$, 'a policy only lets read');
select is_empty($$ select e.name, r.rolname from exposed e, pg_roles r
  where r.rolname in ('anon', 'authenticated', 'nofx_api', 'service_role') and has_table_privilege(r.oid, e.oid, 'insert, update, delete, truncate') $$, 'only functions write');
select * from finish();
rollback;
