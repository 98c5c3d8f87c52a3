begin;
select plan(6);
select tap.tenant();
select tap.run_of('chain', 2, '{"max_attempts": 1}');
select tap.claim();
select tap.save('s0', 'log.txt');
select tap.fail_step('s0', '{"transient": true}');

create function pg_temp.n(p_tenant uuid, p_tool text, p_run uuid, p_reason nofx.dlq_reason, p_before timestamptz) returns int language sql as $$
  select count(*)::int from nofx_private.select_dead_letters(p_tenant, null, p_tool, p_run, p_reason, p_before, 10)
$$;
create temp table t as select current_setting('tap.tenant')::uuid as id;
select is(pg_temp.n(id, null, null, null, null), 1) from t;
select is(pg_temp.n(id, 'bash', null, null, null), 0) from t;
select is(pg_temp.n(id, 'noop', tap.run(), 'exhausted', now() + interval '1 second'), 1) from t;
select is(pg_temp.n(id, null, null, 'poison', null), 0) from t;
select is(pg_temp.n(id, null, null, null, now() - interval '1 day'), 0) from t;
select is(pg_temp.n(gen_random_uuid(), null, null, null, null), 0);
select * from finish();
rollback;
