begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select throws_ok($$ select nofx.fire_timers() $$, 'PT403', 'forbidden');
select * from finish();
rollback;
