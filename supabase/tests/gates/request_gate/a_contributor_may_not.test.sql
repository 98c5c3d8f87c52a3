begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.be('contributor');
select throws_ok($$ select nofx.request_gate(tap.run(), tap.step('s0'), 'manual:look') $$, 'PT403', 'forbidden');
select * from finish();
rollback;
