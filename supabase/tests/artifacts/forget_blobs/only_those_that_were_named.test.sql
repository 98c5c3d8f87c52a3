-- supabase/tests/artifacts/forget_blobs/only_those_that_were_named.test.sql
begin;
select plan(1);
select tap.tenant();
select tap.be_service();
insert into nofx_private.blob_to_remove values ('x'), ('y'), ('z');
select nofx.forget_blobs(array['x', 'z']);
select is((select array_agg(blob) from nofx_private.blob_to_remove), array['y']);
select * from finish();
rollback;
