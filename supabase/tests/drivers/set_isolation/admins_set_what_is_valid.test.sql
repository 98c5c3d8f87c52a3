begin;
select plan(53);
select tap.tenant();
select tap.be('supervisor');
select throws_ok($$ select nofx.set_isolation(null, 'L1', '{}', '{}', null) $$, 'PT403', 'forbidden');
select tap.be_service();
select is(has_function_privilege('service_role', 'nofx.set_isolation(nofx.driver, nofx.isolation_level, jsonb, jsonb, jsonb)', 'execute'), false, 'it acts for no tenant');
select tap.be('admin');
select is(nofx.set_isolation('e2b', 'L3', '{"bash": "L4", "gate:*": "L2"}', '{"e2b": "base", "task": "ghcr.io/acme/t@sha256:0"}',
  '["rust", "c++"]')::jsonb, '{"default_driver": "e2b", "min_isolation": "L3", "tools": {"bash": "L4", "gate:*": "L2"},
  "images": {"e2b": "base", "task": "ghcr.io/acme/t@sha256:0"}, "toolchains": ["rust", "c++"]}');
select throws_ok(format('select nofx.set_isolation(null, null, %L::jsonb, ''{}'', null)', tools), 'PT422', 'invalid-settings', tools) from unnest(array[
  '[]', '"L3"', '1', 'null', 'true', '{"bash": "L5"}', '{"bash": "l3"}', '{"bash": 3}', '{"bash": null}', '{"bash": ["L3"]}', '{"": "L3"}', '{"*": "L3"}',
  '{"Bash": "L3"}', '{"bash; drop": "L3"}', '{"gate:*x": "L3"}', (select jsonb_build_object(repeat('a', 101), 'L3')::text),
  (select jsonb_object_agg('t' || n, 'L1')::text from generate_series(1, 101) as n)]) as tools;
select throws_ok('select nofx.set_isolation(null, null, null, ''{}'', null)', 'PT422', 'invalid-settings', 'SQL null is no object');
select throws_ok(format('select nofx.set_isolation(null, null, ''{}'', %L::jsonb, null)', images), 'PT422', 'invalid-settings', images) from unnest(array[
  null, '[]', 'null', '"base"', '{"bash": "base"}', '{"worker-container": "base"}', '{"e2b": null}', '{"e2b": ["base"]}', '{"e2b": ""}', '{"e2b": "-rm"}',
  '{"e2b": "/etc/passwd"}', '{"e2b": "a/../b"}', '{"modal": "a b"}', '{"task": "a\nb"}', (select jsonb_build_object('task', repeat('a', 256))::text)]) as images;
select throws_ok(format('select nofx.set_isolation(null, null, ''{}'', ''{}'', %L::jsonb)', toolchains), 'PT422', 'invalid-settings', toolchains) from unnest(array[
  '{}', '"rust"', '1', '[1]', '[null]', '[["rust"]]', '["Rust"]', '[""]', '["../x"]', '["a:b"]', '["a=b"]', (select jsonb_build_array(repeat('a', 41))::text),
  (select jsonb_agg('t' || n)::text from generate_series(1, 17) as n)]) as toolchains;
select is((select (default_driver, min_isolation, changed_by)::text from nofx.isolation where tenant_id = current_setting('tap.tenant')::uuid),
  '(e2b,L3,"a admin")', 'what is refused changes nothing');
select is(nofx.set_isolation(null, null, '{}', '{}', 'null')::jsonb,
  '{"default_driver": null, "min_isolation": null, "tools": {}, "images": {}, "toolchains": null}', 'it replaces all of it');
select is((select array_agg(action order by seq) from nofx.audit_log where tenant_id = current_setting('tap.tenant')::uuid and action like 'isolation.%'),
  array['isolation.set', 'isolation.set'], 'each change is audited');
select is((select tap.opened(p.audit_id, p.sealed)::jsonb -> 'before' ->> 'min_isolation' from nofx.audit_log a join nofx.audit_payload p on p.audit_id = a.id
            where a.tenant_id = current_setting('tap.tenant')::uuid and a.action = 'isolation.set' order by a.seq desc limit 1), 'L3', 'with what was before');
select * from finish();
rollback;
