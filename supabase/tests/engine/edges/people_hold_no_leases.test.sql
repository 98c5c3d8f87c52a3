begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
select tap.be('admin');
select throws_ok($$ select nofx.extend_leases(array_agg(id), array_agg(lease_token)) from nofx.step where run_id = tap.run() $$, 'PT403', 'forbidden');
select * from finish();
rollback;
