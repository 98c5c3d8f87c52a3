begin;
select plan(2);
select tap.tenant();
select throws_ok($$ select nofx.decide_gate(gen_random_uuid(), 'approve') $$, 'PT403', 'forbidden');
select tap.be('supervisor');
select throws_ok($$ select nofx.decide_gate(gen_random_uuid(), 'approve') $$, 'PT404', 'gate-not-found');
select * from finish();
rollback;
