begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select throws_ok($$ select nofx.settle_steps('w', '[]') $$, 'PT403', 'forbidden');
select * from finish();
rollback;
