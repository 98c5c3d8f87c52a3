begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1);
select nofx_private.insert_attestation(s, null, '{"predicate_type": "p", "subjects": ["a", "b"], "key_id": "k", "envelope": {"x": 1}}') from nofx.step s where run_id = tap.run();
select results_eq('select predicate_type, subjects, key_id, envelope from nofx.attestation', $$ values ('p', array['a', 'b'], 'k', '{"x": 1}'::jsonb) $$);
select * from finish();
rollback;
