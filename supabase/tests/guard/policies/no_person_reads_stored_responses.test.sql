begin;
select plan(1);
select tap.tenant();
insert into nofx.idempotency_key (tenant_id, route, key, caller, request_hash, resource_id, locked_until)
values (current_setting('tap.tenant')::uuid, 'r', 'k', 'c', 'h', gen_random_uuid(), now());
-- No person has a right to the table: the policy applies if one is granted.
grant select on nofx.idempotency_key to nofx_api;
select is(tap.least_reader('nofx.idempotency_key'), null);
select * from finish();
rollback;
