begin;
select plan(1);
select tap.tenant();
select tap.be_service();
insert into nofx_private.blob_to_remove values ('x'), ('y'), ('z');
select nofx.confirm_blobs_deleted(array['x', 'z']);
select is((select array_agg(blob) from nofx_private.blob_to_remove where blob in ('x', 'y', 'z')), array['y']);
select * from finish();
rollback;
