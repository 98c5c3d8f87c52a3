begin;
select plan(4);
select tap.tenant();
create function pg_temp.result(p_target text, p_failed int, p_succeeded int) returns text language sql as $$
  select nofx_private.count_results(array[row (current_setting('tap.tenant')::uuid, p_target, p_failed, p_succeeded, null)::nofx_private.result]);
  select state::text from nofx.handler_health where tenant_id = current_setting('tap.tenant')::uuid and target = p_target
$$;
select is(pg_temp.result('a', 4, 0), 'closed', 'four of five');
select is(pg_temp.result('a', 1, 0), 'open', 'the fifth');
select is(pg_temp.result('b', 3, 3), 'open', 'half of them');
select is(pg_temp.result('c', 3, 4), 'closed', 'less than half');
select * from finish();
rollback;
