begin;
select plan(4);
select tap.tenant();
select tap.be('admin');
create temporary table own as select (nofx.set_gate_policy('bash', '[]', '{"count": 2}') ->> 'id')::uuid as id;
create temporary table key as select nofx.create_api_key('ci', 'admin', 'hash', 'nofx_1') as id;
select set_config('request.jwt.claims', json_build_object('role', 'authenticated', 'sub', 'key:' || id, 'app_metadata',
  json_build_object('tenant_id', current_setting('tap.tenant'), 'nofx_role', 'admin'))::text, true) from key;
select throws_ok($$ select nofx.set_gate_policy('bash', '[]', '{"author_may_approve": true, "keys_may_approve": true}') $$, 'PT403', 'forbidden');
select throws_ok($$ select nofx.set_gate_policy('noop') $$, 'PT403', 'forbidden', 'not a new one');
select throws_ok($$ select nofx.delete_gate_policy(id) from own $$, 'PT403', 'forbidden');
select is((select approval::text from nofx.gate_policy where id = (select id from own)), '{"count": 2}');
select * from finish();
rollback;
