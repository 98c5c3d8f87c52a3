begin;
select plan(5);
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "bash"}, {"name": "b", "tool": "bash"}, {"name": "ask", "tool": "manual:x"}]');
create function pg_temp.waits(p_name text) returns text language sql as $$
  select nofx.shown_waits_for(s) from nofx.step s where s.id = tap.step(p_name)
$$;
select is(pg_temp.waits('b'), null, 'it is ready');
select tap.be_service();
select nofx.set_quota(current_setting('tap.tenant')::uuid, p_parallel_sandboxes => 1);
select tap.claim();
select tap.settle('ask', 'gate', '{"gate": {"question": "?"}}');
select is(pg_temp.waits('a'), null);
select is(pg_temp.waits('b'), 'quota');
select is(pg_temp.waits('ask'), 'gate');
select tap.be('viewer');
select is((select * from tap.seen(format('select nofx.shown_waits_for(s) from nofx.step s where s.id = %L', tap.step('b')))), 'quota', 'for every role');
select * from finish();
rollback;
