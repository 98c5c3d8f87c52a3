begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.be('admin');
select throws_ok($$ select nofx.ended_attempts(array[tap.step('s0')], array[1]) $$, 'PT403', 'forbidden');
select * from finish();
rollback;
