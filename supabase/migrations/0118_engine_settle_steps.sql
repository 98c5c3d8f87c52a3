-- Tells whether a tenant has steps ready that is none of these, by hops through the index.
-- Takes: p_tenants.
-- Locks: nothing.
-- Returns: true or false.
-- Raises: nothing.
create function nofx_private.another_tenant_waits(p_tenants uuid[])
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_tenant uuid := '00000000-0000-0000-0000-000000000000';
begin
  loop
    select tenant_id into v_tenant from nofx.doorbell where kind = 'ready' and tenant_id > v_tenant order by tenant_id limit 1;
    if v_tenant is null or v_tenant <> all (p_tenants) then
      return v_tenant is not null;
    end if;
  end loop;
end
$$;

-- Settles what a worker did and hands it the next work, in one transaction.
-- Takes: p_worker, its name; p_outcomes, an array of {step_id, token, kind, outputs, error, transient, wait_ms, gate, children}
--   (see nofx_private.outcome), at most one a step; p_capacity, how many steps it can take on (0: none); p_tools, tools it
--   can execute, null for all; p_lease, how long the new leases hold.
-- Locks: the runs concerned (lock_runs); then doorbells, steps and, last, run rows in id order.
-- Returns: {refused: tokens that were no longer good, claims: steps as claim_steps returns them, rung: the runs, if steps of
--   theirs became ready beyond the claims (for a queue outside), next_due_at: the earliest timer that this call set, or null}.
-- Raises: 403 forbidden when the caller is not the service role; 422 too-many-children.
create function nofx.settle_steps(
  p_worker text,
  p_outcomes jsonb,
  p_capacity int default 0,
  p_tools text[] default null,
  p_lease interval default '30 seconds'
)
returns json
language plpgsql
security definer set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  v_outcomes nofx_private.outcome[];
  v_runs uuid[];
  v_tenants uuid[];
  v_accepted uuid[];
  v_ended uuid[];
  v_ended_runs uuid[];
  v_failed uuid[];
  v_ready uuid[];
  v_parents uuid[];
  v_more uuid[];
  v_more_runs uuid[];
  v_own int := p_capacity;
  v_claimed uuid[];
  v_due timestamptz;
begin
  if not nofx_private.caller_is_service() then
    perform nofx_private.refuse(403, 'forbidden', 'settle', 'Only workers settle steps.');
  end if;
  v_outcomes := array(select o from jsonb_populate_recordset(null::nofx_private.outcome, p_outcomes) as o);
  select array_agg(distinct s.run_id) into v_runs from nofx.step s where s.id in (select (o).step_id from unnest(v_outcomes) as o);
  if v_runs is not null then
    perform nofx_private.lock_runs(v_runs);
    select array_agg(a.step_id),
           array_agg(a.step_id) filter (where a.status not in ('ready', 'pending', 'waiting')),
           array_agg(a.run_id) filter (where a.status not in ('ready', 'pending', 'waiting')),
           array_agg(a.step_id) filter (where a.status in ('failed', 'timed_out')),
           array_agg(a.step_id) filter (where a.status = 'ready'),
           array_agg(a.step_id) filter (where a.kind = 'children' and a.status = 'waiting'),
           array_agg(distinct a.tenant_id),
           min(a.waits_until)
      into v_accepted, v_ended, v_ended_runs, v_failed, v_ready, v_parents, v_tenants, v_due
      from nofx_private.accept_outcomes(v_outcomes) as a;

    if v_parents is not null then
      perform nofx_private.spawn_children(array(select o from unnest(v_outcomes) as o where (o).step_id = any (v_parents)));
    end if;
    if v_ready is not null then
      perform nofx_private.make_ready(v_ready);
    end if;
    if v_failed is not null then
      select array_agg(b.step_id), array_agg(b.run_id) into v_more, v_more_runs from nofx_private.block_dependants(v_failed) as b;
      v_ended := v_ended || v_more;
      v_ended_runs := v_ended_runs || v_more_runs;
    end if;

    if v_ended is not null then
      -- Successors first, they are warm; but half of the capacity is kept for another tenant that has work waiting.
      if p_capacity > 0 and nofx_private.another_tenant_waits(v_tenants) then
        v_own := p_capacity / 2;
      end if;
      v_claimed := nofx_private.release_dependants(v_ended, v_ended_runs, p_worker, v_own, p_tools, p_lease);
      perform nofx_private.close_runs(v_ended_runs);
    end if;
    -- Whatever left `running` gave back its slot, parked steps too.
    if v_accepted is not null and exists (select from nofx.doorbell where kind = 'held') then
      perform nofx_private.admit_steps(v_runs);
    end if;
  end if;

  if p_capacity > coalesce(cardinality(v_claimed), 0) then
    v_more := nofx_private.take_doorbells(p_capacity - coalesce(cardinality(v_claimed), 0), p_tools, null);
    if v_more is not null then
      perform nofx_private.start_steps(v_more, p_worker, p_lease);
      v_claimed := v_claimed || v_more;
    end if;
  end if;

  return json_build_object(
    'refused', (select coalesce(json_agg((o).token), '[]') from unnest(v_outcomes) as o
                 where v_accepted is null or (o).step_id <> all (v_accepted)),
    'claims', case when v_claimed is null then '[]' else nofx_private.hand_out_steps(v_claimed, p_lease) end,
    'rung', case when current_setting('nofx.rung', true) = 'yes' then to_json(v_runs) else '[]' end,
    'next_due_at', v_due);
end
$$;
grant execute on function nofx.settle_steps(text, jsonb, int, text[], interval) to service_role;
