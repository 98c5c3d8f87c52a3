begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select throws_ok($$ select nofx.forget_blobs(array['x']) $$, 'PT403', 'forbidden');
select * from finish();
rollback;
