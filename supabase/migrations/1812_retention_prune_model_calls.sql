-- Deletes model calls whose retention has passed since the end of their run. What they cost still counts against the run's budget.
-- Takes: p_limit, how many at most, 1 to 10000.
-- Locks: the advisory lock of begin_prune; the runs (lock_runs); the calls.
-- Returns: how many were deleted; 0 while another call prunes.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.prune_model_calls(p_limit int default 1000)
returns int
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant record;
  v_due uuid[];
  v_gone uuid[];
  v_total int := 0;
  v_limit int := least(greatest(p_limit, 1), 10000);
begin
  if not nofx_private.begin_prune() then
    return 0;
  end if;
  for v_tenant in select * from nofx_private.pruned_tenants('model_calls') loop
    v_due := array(
      select c.id
        from nofx.model_call c
        join nofx.run r on r.id = c.run_id
       where c.tenant_id = v_tenant.id
         -- A run ends after its calls: the index finds the old ones.
         and c.requested_at < v_tenant.before and r.ended_at < v_tenant.before
         and not exists (select from nofx.legal_hold h where h.run_id = r.id)
       order by c.requested_at limit v_limit - v_total);
    perform nofx_private.lock_runs(array(select distinct run_id from nofx.model_call where id = any (v_due)));
    with gone as (
      -- Checked again under the locks: a run may have been retried.
      delete from nofx.model_call c
       using nofx.run r
       where c.id = any (v_due) and r.id = c.run_id and r.ended_at < v_tenant.before
      returning c.id, c.run_id, c.tenant_id, c.cost_usd, c.input_tokens + c.output_tokens as tokens
    ), spent as (
      insert into nofx_private.pruned_spending as s (run_id, tenant_id, usd, tokens)
      select run_id, tenant_id, coalesce(sum(cost_usd), 0), coalesce(sum(tokens), 0) from gone group by 1, 2 order by 1
      on conflict (run_id) do update set usd = s.usd + excluded.usd, tokens = s.tokens + excluded.tokens
    )
    select array_agg(id) into v_gone from gone;
    perform nofx_private.record_pruned(v_tenant.id, 'model_calls', coalesce(cardinality(v_gone), 0), v_tenant.before, v_gone);
    v_total := v_total + coalesce(cardinality(v_gone), 0);
    exit when v_total >= v_limit;
  end loop;
  return v_total;
end
$$;
grant execute on function nofx.prune_model_calls(int) to service_role;
