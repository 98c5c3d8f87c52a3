begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
select is(nofx.record_attestation(tap.step('s0'), gen_random_uuid(), '{"predicate_type": "p", "subjects": [], "key_id": "k", "envelope": {}}'), null);
select isnt(nofx.record_attestation(id, lease_token, '{"predicate_type": "p", "subjects": [], "key_id": "k", "envelope": {}}'), null) from nofx.step where run_id = tap.run();
select * from finish();
rollback;
