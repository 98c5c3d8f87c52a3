begin;
select plan(2);
select tap.tenant();
select tap.be('admin');
select throws_ok('select nofx_private.begin_prune()', 'PT403', 'forbidden');
select tap.be_service();
select is(nofx_private.begin_prune(), true);
select * from finish();
rollback;
