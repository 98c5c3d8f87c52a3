begin;
select plan(9);
create function pg_temp.called(p_status text, p_usd numeric, p_tokens int, p_ago interval) returns void language sql as $$
  insert into nofx.model_call (id, tenant_id, run_id, step_id, attempt, request_hash, task, status, cost_usd, input_tokens, output_tokens, requested_at)
  select gen_random_uuid(), tenant_id, run_id, id, 1, 'h', 'docs', p_status, p_usd, p_tokens, 0, now() - p_ago from nofx.step where id = tap.step('s0')
$$;
create function pg_temp.ended(p_ago interval) returns void language plpgsql as $$
begin
  perform tap.claim();
  perform tap.settle('s0');
  update nofx.run set ended_at = now() - p_ago where id = tap.run();
end
$$;

select tap.tenant();
select tap.run_of('loose', 1);
select pg_temp.called('succeeded', 1.5, 10, '40 days'), pg_temp.called('failed', 0.5, 5, '40 days'), pg_temp.called('reserved', null, null, '40 days');
insert into nofx.retention (tenant_id, what, days) values (current_setting('tap.tenant')::uuid, 'model_calls', 30);
select tap.be_service();
select is(nofx.prune_model_calls(), 0, 'of an open run');
select pg_temp.ended('30 days');
select is(nofx.prune_model_calls(), 0, 'to the second');
update nofx.run set ended_at = now() - interval '31 days' where id = tap.run();
insert into nofx.legal_hold (id, tenant_id, run_id, reason, created_by) values (gen_random_uuid(), current_setting('tap.tenant')::uuid, tap.run(), 'r', 'a');
select is(nofx.prune_model_calls(), 0, 'of a held run');
delete from nofx.legal_hold where true;
select is(nofx.prune_model_calls(2), 2);
select is(nofx.prune_model_calls(), 1);
select is(nofx_private.model_spending(current_setting('tap.tenant')::uuid, tap.run(), null), '{"usd": 2.000000, "tokens": 15}', 'a retry has no new budget');
select is((select sum((data ->> 'count')::int)::int from nofx.event where type = 'history.pruned' and tenant_id = current_setting('tap.tenant')::uuid), 3);
select is((select count(*)::int from nofx.run where id = tap.run()), 1, 'the run stays');
select tap.be('admin');
select throws_ok('select nofx.prune_model_calls()', 'PT403', 'forbidden');
select * from finish();
rollback;
