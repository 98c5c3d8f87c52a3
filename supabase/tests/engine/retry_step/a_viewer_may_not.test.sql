begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim(), tap.fail_step('s0');
select tap.be('viewer');
select throws_ok($$ select nofx.retry_step(tap.run(), tap.step('s0')) $$, 'PT403', 'forbidden');
select * from finish();
rollback;
