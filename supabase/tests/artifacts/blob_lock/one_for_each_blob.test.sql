begin;
select plan(2);
select is(nofx_private.blob_lock('x'), nofx_private.blob_lock('x'));
select isnt(nofx_private.blob_lock('x'), nofx_private.blob_lock('y'));
select * from finish();
rollback;
