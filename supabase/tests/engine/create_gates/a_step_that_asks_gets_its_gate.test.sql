begin;
select plan(4);
select tap.tenant();
select tap.run_of('loose', 2);
select tap.claim();
select tap.settle('s1', 'gate', '{"gate": {"gate_type": "manual:deploy", "question": "Go?"}}');
select results_eq($$ select g.gate_type, g.question, g.status::text from nofx.gate g join nofx.step s on s.gate_id = g.id where s.id = tap.step('s1') $$, $$ values ('manual:deploy', 'Go?', 'pending') $$);
select is(tap.status('s1'), 'waiting');
select tap.run_of('loose', 1, '{"spec": {"approval": {"count": 2, "expires_s": 60}}}');
select tap.claim();
select is((tap.settle('s0', 'gate', '{"gate": {"gate_type": "manual:deploy"}}') ->> 'next_due_at')::timestamptz, now() + interval '1 minute', 'its expiry is a timer');
select results_eq($$ select gate_type, question, approvals_required, expires_at - now() from nofx.gate where step_id = tap.step('s0') $$,
  $$ values ('manual:approval', 'Run s0 (noop)?', 2, interval '1 minute') $$, 'the plan decides who approves, not the worker');
select * from finish();
rollback;
