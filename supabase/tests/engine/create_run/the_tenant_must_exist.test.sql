begin;
select plan(1);
select tap.tenant();
select tap.be('contributor', gen_random_uuid());
select throws_ok($$ select tap.submit(tap.steps('chain', 1)) $$, 'PT404', 'unknown-tenant');
select * from finish();
rollback;
