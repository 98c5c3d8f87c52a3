begin;
select plan(8);
select tap.tenant();
select tap.be('supervisor');
select throws_ok($$ select nofx.set_default_workspace('https://example.com/a.git') $$, 'PT403', 'forbidden');
select tap.be('admin');
select is(nofx.set_default_workspace('https://example.com/a.git', 'main')::jsonb, '{"git": "https://example.com/a.git", "ref": "main"}');
select is(nofx.set_default_workspace('/srv/b')::jsonb, '{"git": "/srv/b", "ref": null}', 'in place of the earlier one');
select is((select (git, ref, changed_by)::text from nofx.default_workspace where tenant_id = current_setting('tap.tenant')::uuid), '(/srv/b,,"a admin")');
select is(has_function_privilege('service_role', 'nofx.set_default_workspace(text, text)', 'execute'), false, 'it acts for no tenant');
select tap.be('admin');
select is(nofx.set_default_workspace()::jsonb, null);
select is_empty($$ select from nofx.default_workspace where tenant_id = current_setting('tap.tenant')::uuid $$, 'none any more');
select is(
  (select array_agg(action order by id) from nofx.audit_log where tenant_id = current_setting('tap.tenant')::uuid and action like 'default_workspace.%'),
  array['default_workspace.set', 'default_workspace.set', 'default_workspace.set'], 'each change is audited');
select * from finish();
rollback;
