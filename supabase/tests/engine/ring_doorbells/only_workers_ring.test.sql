begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select throws_ok($$ select nofx.ring_doorbells() $$, 'PT403', 'forbidden');
select * from finish();
rollback;
