-- supabase/tests/gates/record_gate/only_workers_record_verdicts.test.sql
begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 1, '{"tool": "gate:unit"}');
select tap.claim();
select tap.be('admin');
select throws_ok($$ select nofx.record_gate(tap.step('s0'), (tap.outcome('s0') ->> 'token')::uuid, true, 'e.json') $$, 'PT403', 'forbidden');
select is_empty('select from nofx.gate where run_id = tap.run()');
select * from finish();
rollback;
