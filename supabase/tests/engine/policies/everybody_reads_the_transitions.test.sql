begin;
select plan(1);
select tap.tenant();
select is(tap.least_reader('nofx.transition'), 'outsider');
select * from finish();
rollback;
