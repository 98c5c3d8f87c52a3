begin;
select plan(1);
select tap.tenant();
select tap.be(null);
select throws_ok($$ select nofx.begin_request('POST /runs', 'k', 'h') $$, 'PT403', 'forbidden');
select * from finish();
rollback;
