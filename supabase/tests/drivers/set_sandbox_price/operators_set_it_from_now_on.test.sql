begin;
select plan(12);
select tap.tenant();
select throws_ok($$ select nofx.set_sandbox_price('e2b', 0, 0, 1, 1) $$, 'PT403', 'forbidden');
select tap.be_service();
select throws_ok(format('select nofx.set_sandbox_price(%s)', wrong), 'PT422', 'invalid-settings', wrong)
  from unnest(array[$$'host', 0, 0, 1, 1$$, $$null, 0, 0, 1, 1$$, $$'e2b', -1, 0, 1, 1$$, $$'e2b', 'NaN', 0, 1, 1$$, $$'e2b', 0, 2, 1, 1$$, $$'e2b', 0, 0, -1, 1$$,
    $$'e2b', 0, 0, 1, -1$$, $$'e2b', 0, 0, 1, 1, 86401$$, $$'e2b', null, 0, 1, 1$$]) as wrong;
select is(nofx.set_sandbox_price('e2b', 0.000001, 0, 4, 1024)::jsonb - 'valid_from',
  '{"driver": "e2b", "vcpu_s_usd": 0.000001, "gib_s_usd": 0, "vcpus": 4, "memory_mb": 1024, "min_s": 0, "source": "operator"}');
-- It is valid from the instant of the call, which is after the beginning of this transaction.
update nofx.sandbox_price set valid_from = now() where source = 'operator';
select is(nofx_private.sandbox_cost('e2b', null, '{"cpu_ms": 0, "max_rss_bytes": 0, "wall_ms": 1000}'), 4::bigint);
select * from finish();
rollback;
