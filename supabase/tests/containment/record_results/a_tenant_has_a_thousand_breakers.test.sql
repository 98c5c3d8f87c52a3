begin;
select plan(7);
select tap.tenant();
create function pg_temp.fail(p_target text) returns int language sql as $$
  select nofx_private.record_results(array[row (current_setting('tap.tenant')::uuid, p_target, 1, 0, 'no answer')::nofx_private.result]);
  select count(*)::int from nofx.handler_health where tenant_id = current_setting('tap.tenant')::uuid
$$;
insert into nofx.handler_health (tenant_id, target) select current_setting('tap.tenant')::uuid, 'http:h' || n from generate_series(1, 999) as n;
select is(pg_temp.fail('http:one'), 1000);
select is(pg_temp.fail('http:two'), 1000, 'a new target has none');
select is(pg_temp.fail('http:one'), 1000);
select is((select failed from nofx.handler_health where tenant_id = current_setting('tap.tenant')::uuid and target = 'http:one'), 2, 'those that are there count');
select tap.be('supervisor');
select throws_ok($$ select nofx.set_breaker('http:three') $$, 'PT422', 'invalid-breaker');
select lives_ok($$ select nofx.set_breaker('http:one', 30) $$);
select tap.tenant();
select is(pg_temp.fail('http:two'), 1, 'each tenant has its own');
select * from finish();
rollback;
