begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
select tap.be('admin');
select throws_ok($$ select nofx.extend_leases(array[tap.step('s0')], array[(tap.outcome('s0') ->> 'token')::uuid]) $$, 'PT403', 'forbidden');
select * from finish();
rollback;
