begin;
select plan(10);
select tap.tenant();
select tap.be('admin');
select nofx.set_gate_policy('bash', '[]', '{"expires_s": 60, "author_may_approve": true}');
select tap.be('contributor');
select tap.submit('[{"name": "a", "tool": "noop"}, {"name": "b", "tool": "bash", "needs": [0]}]');
select tap.be('supervisor');
select nofx.request_gate(tap.run(), tap.step('b'), 'manual:look');
select is((select expires_at from nofx.gate where run_id = tap.run()), now() + interval '1 minute');
select results_eq($$ select state::text, due_at from nofx.step_queue where step_id = tap.step('b') $$,
  $$ values ('timer', now() + interval '1 minute') $$);
update nofx.gate set expires_at = now() where run_id = tap.run();
update nofx.step_queue set due_at = now() where step_id = tap.step('b');
select tap.be_service();
select is(json_array_length(nofx.fire_timers() -> 'wake_for'), 0, 'its step still needs another one');
select is((select status::text from nofx.gate where run_id = tap.run()), 'expired');
select is(tap.status('b'), 'pending');
select tap.claim(), tap.settle('a');
select is(tap.claim(), array['b'], 'a worker claims it, and fails it');
-- Decided in time: nothing is left of the timer.
select tap.be('contributor');
select tap.submit('[{"name": "a", "tool": "noop"}, {"name": "b", "tool": "bash", "needs": [0]}]');
select tap.be('supervisor');
select nofx.request_gate(tap.run(), tap.step('b'), 'manual:look');
select nofx.decide_gate(id, 'approve') from nofx.gate where run_id = tap.run();
select ok(not exists (select from nofx.step_queue where step_id = tap.step('b')));
select is(tap.status('b'), 'pending');
-- A plan may ask for less time than the policy; without both a gate does not expire.
select tap.run_of('loose', 1, '{"tool": "bash", "spec": {"approval": {"expires_s": 5}}}');
select tap.be('supervisor');
select nofx.request_gate(tap.run(), tap.step('s0'), 'manual:look');
select is((select expires_at from nofx.gate where run_id = tap.run()), now() + interval '5 seconds');
select tap.run_of('loose', 1);
select tap.be('supervisor');
select nofx.request_gate(tap.run(), tap.step('s0'), 'manual:look');
select results_eq($$ select expires_at, (select count(*) from nofx.step_queue where step_id = g.step_id) from nofx.gate g where run_id = tap.run() $$,
  $$ values (null::timestamptz, 0::bigint) $$);
select * from finish();
rollback;
