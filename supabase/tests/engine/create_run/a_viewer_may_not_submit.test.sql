begin;
select plan(2);
select tap.tenant();
select tap.be('viewer');
select throws_ok($$ select tap.submit(tap.steps('chain', 1)) $$, 'PT403', 'forbidden');
select is_empty($$ select from nofx.run where tenant_id = current_setting('tap.tenant')::uuid $$);
select * from finish();
rollback;
