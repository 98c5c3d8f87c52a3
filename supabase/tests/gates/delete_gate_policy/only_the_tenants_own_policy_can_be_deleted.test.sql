begin;
select plan(3);
select tap.tenant();
select tap.be('admin');
select throws_ok(format('select nofx.delete_gate_policy(%L)', id), 'PT404', 'gate-policy-not-found') from nofx.gate_policy where tool = 'git:pr' and tenant_id is null;
select lives_ok(format('select nofx.delete_gate_policy(%L)', nofx.set_gate_policy('bash') ->> 'id'));
select is((select count(*)::int from nofx.gate_policy where tenant_id = current_setting('tap.tenant')::uuid), 0);
select * from finish();
rollback;
