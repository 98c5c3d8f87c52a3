begin;
select plan(7);
select tap.tenant();
select tap.run_of('loose', 1, '{"tool": "manual:go", "spec": {"approval": {"count": 2}}}');
select tap.claim(), tap.settle('s0', 'gate', '{"gate": {"gate_type": "manual:go"}}');
create function pg_temp.approval() returns text language sql as $$
  select concat_ws(' ', status, approved_by, approved_at is not null) from nofx.gate where run_id = tap.run()
$$;
select is(pg_temp.approval(), 'pending f');
select tap.be('supervisor');
select is((select nofx.decide_gate(id, 'approve') ->> 'approved_by' from nofx.gate where run_id = tap.run()), 'a supervisor');
select is(pg_temp.approval(), 'pending a supervisor t', 'one of two');
select tap.be('admin');
select nofx.decide_gate(id, 'approve') from nofx.gate where run_id = tap.run();
select is(pg_temp.approval(), 'passed a admin t', 'the last one');
select is((select array_agg(by order by created_at, id) from nofx.gate_decision), array['a supervisor', 'a admin'], 'all of them');

-- Neither a rejection nor a waiver is an approval.
select tap.run_of('loose', 1, '{"tool": "manual:go"}');
select tap.claim(), tap.settle('s0', 'gate', '{"gate": {"gate_type": "manual:go"}}');
select tap.be('supervisor');
select nofx.decide_gate(id, 'waive', 'no time') from nofx.gate where run_id = tap.run();
select is(pg_temp.approval(), 'waived f');
select throws_ok($$ update nofx.gate set approved_by = 'x' where run_id = tap.run() $$, '23514');
select * from finish();
rollback;
