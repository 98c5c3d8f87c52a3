begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select throws_ok($$ select nofx.prune_artifacts() $$, 'PT403', 'forbidden');
select * from finish();
rollback;
