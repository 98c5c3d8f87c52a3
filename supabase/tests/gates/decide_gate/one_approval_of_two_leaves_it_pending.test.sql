begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1, '{"tool": "bash", "spec": {"approval": {"count": 2}}}');
select tap.claim(), tap.settle('s0', 'gate', '{"gate": {"gate_type": "manual:approval"}}');
select tap.be('supervisor');
select is((select nofx.decide_gate(id, 'approve') ->> 'status' from nofx.gate where run_id = tap.run()), 'pending');
select * from finish();
rollback;
