begin;
select plan(4);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
select tap.settle('s0', 'gate', '{"gate": {"gate_type": "manual:x"}}');
select tap.be('admin');
create function pg_temp.decide(p_decision text, p_gate jsonb) returns void language sql as $$
  select nofx_private.check_decision(jsonb_populate_record(g, p_gate), p_decision) from nofx.gate g where run_id = tap.run()
$$;
select lives_ok($$ select pg_temp.decide('approve', '{}') $$);
select throws_ok($$ select pg_temp.decide('approve', jsonb_build_object('expires_at', now() - interval '1 second')) $$, 'PT409', 'gate-expired');
select throws_ok($$ select pg_temp.decide('approve', jsonb_build_object('status', 'expired', 'expires_at', now())) $$, 'PT409', 'gate-expired');
select throws_ok($$ select pg_temp.decide('reject', jsonb_build_object('status', 'passed', 'decided_at', now())) $$, 'PT409', 'gate-decided');
select * from finish();
rollback;
