begin;
select plan(4);
create function pg_temp.called(p_status text, p_usd numeric, p_input int, p_output int, p_ago interval default '0') returns void language sql as $$
  insert into nofx.model_call (id, tenant_id, run_id, step_id, attempt, request_hash, task, reserved_usd, reserved_tokens, status, cost_usd, input_tokens,
    output_tokens, requested_at)
  select gen_random_uuid(), tenant_id, run_id, id, 1, 'h', 'docs', 1000, 1000000, p_status, p_usd, p_input, p_output, now() - p_ago
    from nofx.step where id = tap.step('s0')
$$;
create function pg_temp.spent(p_run uuid, p_since timestamptz) returns text language sql as $$
  select trim_scale((s ->> 'usd')::numeric) || ' USD ' || (s ->> 'tokens')
    from nofx_private.model_spending(current_setting('tap.tenant')::uuid, p_run, p_since) as s
$$;
select tap.tenant();
select tap.run_of('loose', 1);
select pg_temp.called('succeeded', 64, 6400, 0);
select tap.tenant();
select tap.run_of('loose', 1);
select pg_temp.called('succeeded', 32, 3000, 200);
select tap.run_of('loose', 1);
select pg_temp.called('succeeded', 1.5, 10, 5), pg_temp.called('failed', 0.25, 1, 1), pg_temp.called('succeeded', 4, 90, 10, '2 days');
select is(pg_temp.spent(tap.run(), null), '5.75 USD 117', 'the cost, not the reservation');
select is(pg_temp.spent(tap.run(), now() - interval '1 day'), '1.75 USD 17', 'within the last day');
select is(pg_temp.spent(tap.run(), now()), '1.75 USD 17', 'the bound is inclusive');
select is(pg_temp.spent(null, null), '37.75 USD 3317', 'of all runs, but of no other tenant');
select * from finish();
rollback;
