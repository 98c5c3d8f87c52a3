-- Begins a batch of deletion: one at a time in the whole database, so that a legal hold knows when none has begun before it.
-- Takes: nothing.
-- Locks: the advisory lock 'nofx_prune', until the transaction ends, if it is free.
-- Returns: whether the caller may delete; false while another call does, or a hold is being placed.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx_private.begin_prune()
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  perform nofx_private.require_service('retention', 'Only workers delete what is past its retention.');
  return pg_try_advisory_xact_lock(hashtextextended('nofx_prune', 0));
end
$$;

-- Lists the tenants that do not keep something forever.
-- Takes: p_what.
-- Locks: nothing.
-- Returns: each tenant's id and the beginning of its retention, in another order each time: a batch that ends at its limit serves the first
--   ones only, and none is always the first.
-- Raises: nothing.
create function nofx_private.pruned_tenants(p_what nofx.retained)
returns table (id uuid, before timestamptz)
language plpgsql
volatile
set search_path = ''
as $$
begin
  return query
  select t.id, now() - make_interval(days => setting.days)
    from nofx.tenant t
   cross join lateral (select nofx_private.retention_days(t.id, p_what) as days) as setting
   where setting.days is not null
   order by random();
end
$$;

-- Records what a batch deleted of a tenant: the event `history.pruned`, and the same in the audit log with the ids.
-- Takes: p_tenant; p_what; p_count, nothing is recorded for 0; p_before, the beginning of the retention; p_ids, null for none.
-- Locks: the head of the tenant's audit log.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.record_pruned(p_tenant uuid, p_what nofx.retained, p_count int, p_before timestamptz, p_ids uuid[] default null)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_data jsonb := jsonb_build_object('what', p_what, 'count', p_count, 'before', to_char(p_before at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'));
begin
  if p_count = 0 then
    return;
  end if;
  perform nofx_private.emit(array[row (p_tenant, null, null, 'history.pruned', v_data)::nofx_private.new_event]);
  perform nofx_private.audit(p_tenant, 'history.pruned', p_what::text,
    v_data || case when p_ids is null then '{}' else jsonb_build_object('ids', p_ids) end, null);
end
$$;
