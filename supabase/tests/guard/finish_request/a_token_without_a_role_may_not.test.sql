begin;
select plan(1);
select tap.tenant();
select nofx.begin_request('POST /runs', 'k', 'h');
select tap.be(null);
select throws_ok($$ select nofx.finish_request('POST /runs', 'k', 201, '{}') $$, 'PT403', 'forbidden');
select * from finish();
rollback;
