begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 1, '{"tool": "manual:go", "spec": {"approval": {"expires_s": 60}}}');
select tap.claim(), tap.settle('s0', 'gate', '{"gate": {"gate_type": "manual:go"}}');
select is(nofx_private.expire_gates(array[tap.step('s0')]), '{}');
select is((select status::text from nofx.gate where run_id = tap.run()), 'pending');
select * from finish();
rollback;
