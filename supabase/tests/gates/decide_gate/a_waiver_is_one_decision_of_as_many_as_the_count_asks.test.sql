begin;
select plan(10);
select tap.tenant();
create function pg_temp.decide(p_who text, p_decision text) returns text language sql as $$
  select set_config('request.jwt.claims', json_build_object('role', 'authenticated', 'sub', p_who, 'app_metadata',
    json_build_object('tenant_id', current_setting('tap.tenant'), 'nofx_role', 'supervisor'))::text, true);
  select nofx.decide_gate(id, p_decision, 'because') ->> 'status' from nofx.gate where run_id = tap.run()
$$;
select tap.submit('[{"name": "a", "tool": "bash", "spec": {"approval": {"count": 3}}}]');
select tap.claim(), tap.settle('a', 'gate', '{"gate": {"gate_type": "manual:approval"}}');
-- The settle above is by hand: its gate has the default count.
update nofx.gate set approvals_required = 3 where run_id = tap.run();
select is(pg_temp.decide('ann', 'waive'), 'pending', 'one person passes no gate of three');
select is(tap.status('a'), 'waiting');
select is((select approved_by from nofx.gate where run_id = tap.run()), null, 'a waiver is no approval');
select throws_ok($$ select pg_temp.decide('ann', 'waive') $$, 'PT409', 'already-approved');
select throws_ok($$ select pg_temp.decide('ann', 'approve') $$, 'PT409', 'already-approved');
select is((select data ->> 'decision' from nofx.event where run_id = tap.run() and type = 'gate.approval_added'), 'waive');
select is(pg_temp.decide('bob', 'approve'), 'pending');
select is((select (nofx_private.deciders(g) ->> 'approvals')::int from nofx.gate g where run_id = tap.run()), 2);
select is(pg_temp.decide('carol', 'approve'), 'waived', 'what one of them waived is waived');
select is(tap.status('a'), 'ready');
select * from finish();
rollback;
