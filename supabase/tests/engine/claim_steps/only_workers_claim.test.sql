begin;
select plan(2);
select tap.tenant();
select throws_ok($$ select nofx.claim_steps('w', 1) $$, 'PT403', 'forbidden');
select tap.be_service();
select is(nofx.claim_steps('w', 0)::text, '[]');
select * from finish();
rollback;
