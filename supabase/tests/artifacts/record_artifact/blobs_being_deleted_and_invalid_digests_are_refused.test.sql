begin;
select plan(5);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
insert into nofx_private.blob_to_remove (blob, lease, lease_expires_at) values ('x', gen_random_uuid(), now() - interval '1 hour');
select throws_ok($$ select tap.save('s0', 'one', 'x') $$, 'PT409', 'blob-deleting', 'its deletion has begun, and may still arrive');
select isnt(tap.save('s0', 'one', 'y'), null, 'other blobs are recorded');
create function pg_temp.hashed(p_hash text) returns uuid language sql as $$
  select nofx.record_artifact(id, lease_token, jsonb_build_object('name', 'n', 'uri', 'n', 'blob', 'b', 'type', 'text/plain', 'size_bytes', 3,
           'hash', p_hash)) from nofx.step where id = tap.step('s0')
$$;
select throws_ok($$ select pg_temp.hashed('anything') $$, '23514');
select throws_ok($$ select pg_temp.hashed('sha256:' || repeat('a', 63)) $$, '23514', null, 'too short');
select isnt(pg_temp.hashed('sha256:' || repeat('0f', 32)), null);
select * from finish();
rollback;
