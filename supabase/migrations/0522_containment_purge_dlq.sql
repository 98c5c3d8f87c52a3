-- Purges dead letters: their steps stay failed; the audit log lists the purged ones.
-- Takes: p_ids, p_tool, p_run, p_reason, p_before: filters, null for any; p_limit, 1 to 1000, oldest first; p_dry_run, to change
--   nothing.
-- Locks: the dead letters.
-- Returns: {purged: ids, dry_run}.
-- Raises: 403 forbidden when the caller's role is below supervisor; 409 legal-hold when one of the runs is under a legal hold.
create function nofx.purge_dlq(
  p_ids uuid[] default null,
  p_tool text default null,
  p_run uuid default null,
  p_reason nofx.dlq_reason default null,
  p_before timestamptz default null,
  p_limit int default 100,
  p_dry_run boolean default false
)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('supervisor');
  v_ids uuid[];
  v_gone jsonb;
  v_held text;
begin
  v_ids := array(select id from nofx_private.select_dead_letters(v_tenant, p_ids, p_tool, p_run, p_reason, p_before, p_limit));
  select coalesce(h.run_id, h.tenant_id)::text into v_held
    from nofx.legal_hold h
   where h.tenant_id = v_tenant
     and (h.run_id is null and cardinality(v_ids) > 0 or h.run_id in (select d.run_id from nofx.step_dlq d where d.id = any (v_ids)))
   limit 1;
  if v_held is not null then
    perform nofx_private.refuse(409, 'legal-hold', v_held, 'Release the legal hold first, or select dead letters of other runs.');
  end if;
  if not p_dry_run and cardinality(v_ids) > 0 then
    with gone as (
      delete from nofx.step_dlq where id = any (v_ids) returning id, run_id, step_id, name, tool, reason, error ->> 'message' as message
    )
    select jsonb_agg(to_jsonb(g)) into v_gone from gone g;
    perform nofx_private.audit(v_tenant, 'dlq.purged', 'nofx.step_dlq', v_gone, null);
  end if;
  return json_build_object('purged', v_ids, 'dry_run', p_dry_run);
end
$$;
grant execute on function nofx.purge_dlq(uuid[], text, uuid, nofx.dlq_reason, timestamptz, int, boolean) to nofx_api;
