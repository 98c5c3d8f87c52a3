begin;
select plan(49);
select tap.tenant();
select tap.be('admin');
select throws_ok(format('select nofx.set_default_workspace(%L)', git), 'PT422', 'invalid-settings', git) from unnest(array[
  'https://bot:hunter2@host/x.git', 'https://hunter2@host/x.git', 'https://:hunter2@host/x.git', 'https://bot:hunter2@a@host/x.git',
  'https://bot:hunter2@host', 'ssh://git:hunter2@host/x.git', 'git:hunter2@host:x.git', 'https:/bot:hunter2@host/x.git',
  ' ', ' https://host/a', '/srv/a ', 'ext::sh -c x', 'ext::https://host/a', 'http://host/a', 'HTTPS://host/a', 'git://host/a',
  'file:///srv/a', 'ftp://host/a', 'https://', 'https:///a', 'https://-x/a', 'ssh://-oProxyCommand=x/a', 'ssh://-x@host/a',
  'ssh://@host/a', '-x@host:a', 'host:', 'host:/', 'host://a', ':a', 'a b:c', '//bot:hunter2@host' || chr(10),
  './a', 'a/b:c', 'a', '~/a']) as git;
select is_empty('select from nofx.default_workspace');
select is_empty($$ select from nofx.audit_log where tenant_id = current_setting('tap.tenant')::uuid and position('hunter2' in to_jsonb(audit_log)::text) > 0 $$);
select is(nofx.set_default_workspace(git) ->> 'git', git) from unnest(array[
  'https://github.com/acme/web.git', 'https://host:8443/a/b@c?d', 'https://[2001:db8::1]/a', 'ssh://git@host:22/a.git', 'ssh://host/a',
  'git@host:acme/web.git', 'host:/srv/a', '/srv/a:b@c', 'https://host', 'https://host?a@b', 'ssh://[::1]:22/a']) as git;
select throws_ok($$ insert into nofx.default_workspace (tenant_id, git, changed_by)
  values (gen_random_uuid(), 'https://bot:hunter2@host/x.git', 'x') $$, '23514', null, 'the table refuses it, too');
select * from finish();
rollback;
