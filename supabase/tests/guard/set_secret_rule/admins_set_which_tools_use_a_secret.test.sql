begin;
select plan(14);
select tap.tenant();
select tap.be('supervisor');
select throws_ok($$ select nofx.set_secret_rule('A', '{bash}') $$, 'PT403', 'forbidden');
select tap.be('admin');
select is(nofx.set_secret_rule('A', '{bash,git:*}')::jsonb - 'changed_at', '{"name": "A", "tools": ["bash", "git:*"], "changed_by": "a admin"}');
select is(nofx.set_secret_rule('A', '{}')::jsonb -> 'tools', '[]', 'in place of the earlier one');
select is((select tools from nofx.secret_rule where tenant_id = current_setting('tap.tenant')::uuid), '{}');
select throws_ok(format('select nofx.set_secret_rule(%L, %L)', name, tools), 'PT422', 'invalid-settings', name || ' ' || tools)
  from (values ('', '{bash}'), ('1A', '{bash}'), ('A-B', '{bash}'), (repeat('A', 101), '{bash}'), ('A', '{"a b"}'), ('A', '{NULL}'), ('A', '{""}')) as t (name, tools);
select throws_ok($$ select nofx.set_secret_rule('A', array(select 't' || n from generate_series(1, 51) as n)) $$, 'PT422', 'invalid-settings');
select is(nofx.set_secret_rule('A')::jsonb, null, 'the default of its name applies');
select is((select array_agg(action order by id) from nofx.audit_log
            where tenant_id = current_setting('tap.tenant')::uuid and action = 'secret_rule.set'),
  array['secret_rule.set', 'secret_rule.set', 'secret_rule.set']);
select * from finish();
rollback;
