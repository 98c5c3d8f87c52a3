begin;
select plan(16);
select tap.tenant();
select tap.submit('[{"name": "big", "tool": "bash", "spec": {"resources": {"memory_mb": 513, "disk_mb": 1}, "inputs": {"script": "x"}}},
  {"name": "fits", "tool": "bash", "spec": {"resources": {"memory_mb": 512, "disk_mb": 64}}}, {"name": "wide", "tool": "gate:unit", "spec": {"resources": {"disk_mb": 65}}},
  {"name": "plain", "tool": "noop", "spec": {"resources": {"memory_mb": 9999}}}, {"name": "each", "tool": "bash", "spec": {"for_each": "x", "resources": {"memory_mb": 9999}}},
  {"name": "odd", "tool": "bash", "spec": {"resources": {"memory_mb": "lots", "disk_mb": [1]}}}]');
create function pg_temp.hold(p_name text) returns text language sql as $$
  select d -> 'hold' ->> 'refuse' from json_array_elements(nofx_private.describe_steps(array[tap.step(p_name)], null)) as d
$$;
select is(pg_temp.hold('big'), null, 'there is no quota');
select tap.be_service();
select nofx.set_quota(current_setting('tap.tenant')::uuid, p_step_memory_mb => 512, p_step_disk_mb => 64);
select is(pg_temp.hold('big'), 'the step asks for 513 MiB of memory, the tenant''s quota step_memory_mb is 512');
select is(pg_temp.hold('wide'), 'the step asks for 65 MiB of disk, the tenant''s quota step_disk_mb is 64');
select is(pg_temp.hold(name), null, name) from unnest(array['fits', 'plain', 'each', 'odd']) as name;
select is((d -> 'quota')::jsonb, '{"memory_mb": 512, "disk_mb": 64}', 'the claim has what a step that asks for nothing may have')
  from json_array_elements(nofx_private.describe_steps(array[tap.step('odd')], null)) as d;
select nofx.set_quota(current_setting('tap.tenant')::uuid, p_day_cpu_s => 2);
insert into nofx.sandbox_usage values (current_setting('tap.tenant')::uuid, (now() at time zone 'utc')::date, 0, 1999, 0);
select is(pg_temp.hold('fits'), null, 'a millisecond is left');
update nofx.sandbox_usage set cpu_ms = 2000 where tenant_id = current_setting('tap.tenant')::uuid;
select is(pg_temp.hold('fits'), 'the tenant used 2 s of processor time today, its quota day_cpu_s is 2; retry the run after midnight UTC');
select is(pg_temp.hold('plain'), null, 'it runs no program');
select throws_ok($$ select tap.run_of('loose', 1) $$, 'PT429', 'quota-exceeded', 'new runs are refused, too');
select tap.be_service();
select nofx.set_quota(current_setting('tap.tenant')::uuid, p_day_sandbox_usd => 0.25);
update nofx.sandbox_usage set cost_micro_usd = 249999 where tenant_id = current_setting('tap.tenant')::uuid;
select is(pg_temp.hold('fits'), null, 'a millionth of a USD is left');
update nofx.sandbox_usage set cost_micro_usd = 250000 where tenant_id = current_setting('tap.tenant')::uuid;
select is(pg_temp.hold('fits'), 'the tenant''s sandboxes cost 0.25 USD today, its quota day_sandbox_usd is 0.25; retry the run after midnight UTC');
select is(pg_temp.hold('plain'), null, 'it runs no program');
select throws_ok($$ select tap.run_of('loose', 1) $$, 'PT429', 'quota-exceeded', 'new runs are refused, too');
select * from finish();
rollback;
