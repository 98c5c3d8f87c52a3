begin;
select plan(8);
select tap.tenant();
select tap.run_of('loose', 1, '{"tool": "bash"}');
select tap.claim();
create function pg_temp.record(p_blobs text[]) returns boolean language sql as $$
  select nofx.record_snapshot(id, lease_token, p_blobs) from nofx.step where id = tap.step('s0')
$$;
select is(nofx.record_snapshot(tap.step('s0'), gen_random_uuid(), '{t/a}'), false, 'the lease has expired');
select is(pg_temp.record('{t/a,t/b}'), true);
select is(pg_temp.record('{t/a,t/c}'), true, 'a later one shares a part');
insert into nofx_private.blob_to_remove (blob) values ('t/b'), ('t/e');
insert into nofx_private.blob_to_remove (blob, lease, lease_expires_at) values ('t/d', gen_random_uuid(), now() + interval '1 minute');
select throws_ok($$ select pg_temp.record('{t/d}') $$, 'PT409', 'blob-deleting');
select is(pg_temp.record('{t/e}'), true, 'nobody has begun to delete it');
select is(nofx.blobs_to_delete() ->> 'blobs', '[]', 'what a snapshot has is not deleted');
select tap.settle('s0');
delete from nofx.run where id = tap.run();
select set_eq($$ select json_array_elements_text(nofx.blobs_to_delete() -> 'blobs') $$, array['t/a', 't/b', 't/c', 't/e'], 'they go with the run');
select tap.be('admin');
select throws_ok($$ select nofx.record_snapshot(gen_random_uuid(), gen_random_uuid(), '{}') $$, 'PT403', 'forbidden');
select * from finish();
rollback;
