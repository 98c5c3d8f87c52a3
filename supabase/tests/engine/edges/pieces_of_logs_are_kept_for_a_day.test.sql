begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
insert into nofx.step_log (step_id, tenant_id, attempt, at_byte, text, created_at)
select tap.step('s0'), current_setting('tap.tenant')::uuid, 1, age, 'x', now() - make_interval(hours => age) from unnest(array[23, 25]) as age;
select is(nofx.forget_logs(), 1);
select is((select at_byte from nofx.step_log where step_id = tap.step('s0')), 23::bigint);
select * from finish();
rollback;
