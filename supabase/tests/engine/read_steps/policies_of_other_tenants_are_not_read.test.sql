begin;
select plan(6);
create function pg_temp.read(p_table regclass) returns bigint language sql as $$
  select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_all_tables where relid = p_table
$$;

-- As many as 200 tenants may have.
create temporary table others as select nofx_private.uuid_v7() as id, n from generate_series(1, 200) as n;
select tap.be_service();
select nofx.create_tenant(o.id, 'other ' || o.n) from others o;
insert into nofx.gate_policy (id, tenant_id, tool, changed_by)
select nofx_private.uuid_v7(), o.id, 'manual:t' || t.n, 'x' from others o, generate_series(1, 100) as t (n);
analyze nofx.gate_policy;
select tap.tenant();
select tap.run_of('loose', 64, '{"tool": "bash"}');
select tap.claim();
create temporary table before as select pg_temp.read('nofx.gate_policy') as n;
select is(json_array_length(nofx_private.describe_steps(array(select id from nofx.step where run_id = tap.run()), null)), 64);
select cmp_ok(pg_temp.read('nofx.gate_policy') - (select n from before), '<', 1000::bigint, 'nor are they for each of its steps');
update before set n = pg_temp.read('nofx.gate_policy');
select is((nofx_private.policy_for(s)).id, null) from nofx.step s where s.run_id = tap.run() and name = 's0';
select cmp_ok(pg_temp.read('nofx.gate_policy') - (select n from before), '<', 50::bigint, 'nor for the policy of a step');
update before set n = pg_temp.read('nofx.gate_policy');
select is(nofx_private.uncounted(row (g.*)::nofx.gate), null)
  from (select (jsonb_populate_record(null::nofx.gate, jsonb_build_object('tenant_id', current_setting('tap.tenant'), 'gate_type', 'gate:none'))).*) as g;
select cmp_ok(pg_temp.read('nofx.gate_policy') - (select n from before), '<', 50::bigint, 'nor for a verdict');
select * from finish();
rollback;
