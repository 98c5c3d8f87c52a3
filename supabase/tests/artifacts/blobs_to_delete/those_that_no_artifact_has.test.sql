begin;
select plan(6);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
create function pg_temp.leased(p_limit int default 500) returns text[] language sql as $$
  select array(select json_array_elements_text(nofx.blobs_to_delete(p_limit) -> 'blobs') order by 1)
$$;
select tap.save('s0', 'one', 'x');
insert into nofx_private.blob_to_remove (blob) values ('x'), ('y'), ('z'), ('zz');
select is(cardinality(pg_temp.leased(1)), 1);
select is(pg_temp.leased(), array['z', 'zz'], 'the first is leased, and an artifact has another');
select is(pg_temp.leased(), '{}', 'each has one lease');
update nofx_private.blob_to_remove set lease_expires_at = now() where blob in ('y', 'zz');
select is(pg_temp.leased(), array['y', 'zz'], 'until it expires');
update nofx_private.blob_to_remove set lease_expires_at = now(), removed_at = now() where blob = 'y';
select is(pg_temp.leased(), '{}', 'what is deleted is not deleted again');
select tap.be('admin');
select throws_ok($$ select nofx.blobs_to_delete() $$, 'PT403', 'forbidden');
select * from finish();
rollback;
