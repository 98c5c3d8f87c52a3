begin;
select plan(4);
select tap.tenant();
select nofx_private.audit(current_setting('tap.tenant')::uuid, 'thing.done', 'x', null, null);
select throws_ok($$ update nofx.audit_log set actor = 'nobody' where true $$, 'PT403', 'append-only');
select throws_ok($$ delete from nofx.audit_log where true $$, 'PT403', 'append-only');
select throws_ok($$ truncate nofx.audit_log cascade $$, 'PT403', 'append-only');
select is_empty($$ select 1 from information_schema.role_table_grants where table_name in ('audit_log', 'audit_payload')
  and grantee in ('anon', 'authenticated', 'nofx_api', 'service_role') and privilege_type <> 'SELECT' $$);
select * from finish();
rollback;
