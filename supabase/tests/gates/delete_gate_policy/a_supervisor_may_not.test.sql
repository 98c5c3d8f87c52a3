begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select nofx.set_gate_policy('bash');
select tap.be('supervisor');
select throws_ok($$ select nofx.delete_gate_policy(id) from nofx.gate_policy where tenant_id = current_setting('tap.tenant')::uuid $$, 'PT403', 'forbidden');
select * from finish();
rollback;
