begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select throws_ok($$ select nofx.confirm_blobs_deleted(gen_random_uuid(), array['x']) $$, 'PT403', 'forbidden');
select * from finish();
rollback;
