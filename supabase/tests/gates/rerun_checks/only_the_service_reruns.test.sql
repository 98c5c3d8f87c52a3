begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select throws_ok($$ select nofx.rerun_checks('acme/web', 'abc', 29310) $$, 'PT403', 'forbidden');
select * from finish();
rollback;
