begin;
select plan(1);
select tap.tenant();
select is(tap.least_reader('nofx.transition'), 'stranger');
select * from finish();
rollback;
