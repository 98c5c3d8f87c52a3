begin;
select plan(1);
select nofx_private.lock_audit('00000000-0000-0000-0000-00000000000a'), nofx_private.lock_audit('00000000-0000-0000-0000-00000000000a');
select results_eq($$ select seq, hash from nofx_private.audit_head where tenant_id = '00000000-0000-0000-0000-00000000000a' $$, $$ values (0::bigint, repeat('0', 64)) $$);
select * from finish();
rollback;
