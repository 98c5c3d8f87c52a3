begin;
select plan(16);
select tap.tenant();
create function pg_temp.fault(p_tool text, p_secrets jsonb) returns text language sql as $$
  select nofx_private.secret_fault(current_setting('tap.tenant')::uuid, p_tool, p_secrets)
$$;
select is(pg_temp.fault('bash', secrets), null, coalesce(secrets::text, 'none')) from unnest(array[null, 'null', '[]', '1', '["OTHER"]']::jsonb[]) as secrets;
select is(pg_temp.fault(tool, '["GITHUB_TOKEN", "OTHER"]'), null, tool) from unnest(array['git:push', 'git:pr']) as tool;
select matches(pg_temp.fault(tool, '["OTHER", "GITHUB_TOKEN"]'), '^the secret GITHUB_TOKEN may be used by git:\*, not by ', tool)
  from unnest(array['bash', 'gate:unit', 'codegen', 'git', 'http']) as tool;
select tap.be('admin');
select nofx.set_secret_rule('GITHUB_TOKEN', '{bash}'), nofx.set_secret_rule('OTHER', '{}');
select is(pg_temp.fault('bash', '["GITHUB_TOKEN"]'), null, 'the rule of the tenant');
select matches(pg_temp.fault('git:push', '["GITHUB_TOKEN"]'), 'may be used by bash, not by git:push', 'and it alone');
select matches(pg_temp.fault('bash', '["OTHER"]'), 'may be used by no step');
select is(nofx_private.secret_fault(gen_random_uuid(), 'bash', '["OTHER"]'), null, 'of no other tenant');
select * from finish();
rollback;
