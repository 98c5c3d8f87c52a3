begin;
select plan(10);
select tap.tenant();
select throws_ok($$ select nofx.set_quota(current_setting('tap.tenant')::uuid) $$, 'PT403', 'forbidden');
select tap.be_service();
select throws_ok($$ select nofx.set_quota(gen_random_uuid(), 1) $$, 'PT404', 'unknown-tenant');
select throws_ok($$ select nofx.set_quota(current_setting('tap.tenant')::uuid, 0) $$, 'PT422', 'invalid-settings');
select throws_ok(format('select nofx.set_quota(current_setting(''tap.tenant'')::uuid, %s => 0)', name), 'PT422', 'invalid-settings', name)
  from unnest(array['p_day_cpu_s', 'p_step_memory_mb', 'p_step_disk_mb', 'p_parallel_sandboxes', 'p_day_sandbox_usd']) as name;
select is((nofx.set_quota(current_setting('tap.tenant')::uuid, 5, p_day_cpu_s => 60, p_step_memory_mb => 512, p_step_disk_mb => 64, p_parallel_sandboxes => 3, p_day_sandbox_usd => 0.5)::jsonb - 'changed_at' - 'tenant_id'),
  '{"runs_per_minute": 5, "parallel_steps": null, "stored_bytes": null, "day_usd": null, "day_cpu_s": 60, "step_memory_mb": 512, "step_disk_mb": 64,
    "parallel_sandboxes": 3, "day_sandbox_usd": 0.5}');
select is((select actor || ' ' || action from nofx.audit_log where tenant_id = current_setting('tap.tenant')::uuid), 'service quota.set');
select * from finish();
rollback;
