begin;
select plan(4);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
create function pg_temp.keep(p_path text, p_hash text) returns uuid language sql as $$
  select nofx.record_artifact(id, lease_token, jsonb_build_object('name', 'x', 'path', p_path, 'blob', 'b', 'media_type', 'text/plain', 'size_bytes', 1, 'hash', p_hash))
    from nofx.step where id = tap.step('s0')
$$;
select isnt(pg_temp.keep('the/path', 'sha256:' || repeat('a', 64)), null);
select throws_ok($$ select pg_temp.keep('p', 'sha256:' || repeat('A', 64)) $$, '23514', null, 'no digest');
insert into nofx_private.blob_to_remove values ('going');
select throws_ok($$ select tap.keep('s0', 'y', 'going') $$, 'PT409', 'blob-going');
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
select pg_temp.keep('the/path', 'sha256:' || repeat('b', 64));
select is((select count(*)::int from nofx.artifact where path = 'the/path'), 2, 'another tenant has the same path');
select * from finish();
rollback;
