begin;
select plan(3);
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "bash"}, {"name": "b", "tool": "bash"}, {"name": "ask", "tool": "manual:x"}]');
create function pg_temp.why() returns text language sql as $$
  select row (code, step_name, message)::text from nofx.explain_runs(array[tap.run()])
$$;
select tap.be('viewer');
select is(pg_temp.why(), null, 'its steps are ready');
select tap.be_service();
select nofx.set_quota(current_setting('tap.tenant')::uuid, p_parallel_sandboxes => 1);
select tap.claim();
select tap.be('viewer');
select is(pg_temp.why(), '(quota,b,parallel_sandboxes)');
select tap.settle('ask', 'gate', '{"gate": {"gate_type": "manual:x", "question": "?"}}');
select tap.be('viewer');
select is(pg_temp.why(), '(gate,ask,?)', 'a person comes first');
select * from finish();
rollback;
