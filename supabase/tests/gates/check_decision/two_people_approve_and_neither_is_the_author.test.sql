begin;
select plan(8);
select tap.tenant();
select tap.be('supervisor');
select tap.submit('[{"name": "a", "tool": "bash", "spec": {"approval": {"count": 2}}}]');
select tap.claim(), tap.settle('a', 'gate', '{"gate": {"gate_type": "manual:approval"}}');
create function pg_temp.decide(p_who text, p_decision text, p_role text default 'supervisor') returns text language plpgsql as $$
begin
  perform set_config('request.jwt.claims', json_build_object('role', 'authenticated', 'sub', p_who, 'app_metadata',
    json_build_object('tenant_id', current_setting('tap.tenant'), 'nofx_role', p_role))::text, true);
  return (select nofx.decide_gate(id, p_decision, 'because') ->> 'status' from nofx.gate where run_id = tap.run());
end
$$;
select throws_ok($$ select pg_temp.decide('a supervisor', 'approve') $$, 'PT403', 'self-approval');
select throws_ok($$ select pg_temp.decide('a supervisor', 'waive') $$, 'PT403', 'self-approval');
select is(pg_temp.decide('ann', 'approve'), 'pending');
select throws_ok($$ select pg_temp.decide('ann', 'approve') $$, 'PT409', 'already-approved');
select is(tap.status('a'), 'waiting', 'one is not enough');
select is(pg_temp.decide('bob', 'approve'), 'passed');
select is(tap.status('a'), 'ready');
select is((select array_agg(by || ' ' || decision order by created_at, id) from nofx.gate_decision), array['ann approve', 'bob approve'], 'the history is stored');
select * from finish();
rollback;
